import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteFolder, runningFolders } from '../../../src/embedded-redis/running-folders.ts';

let folder: string;
let cacheDir: string;
let notes: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'running-folders-'));
  cacheDir = join(folder, 'cache');
  notes = join(cacheDir, 'running');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('notes of running services in the cache folder', () => {
  it('are removed where no service runs, and nothing else beside them', async () => {
    await noteFolder(cacheDir, join(folder, 'ended'));
    await writeFile(join(notes, 'a file of mine'), 'text');
    expect(await readdir(notes)).toHaveLength(2);
    expect(await runningFolders(cacheDir)).toEqual([]);
    expect(await readdir(notes)).toEqual(['a file of mine']);
  });

  it('are neither read nor removed in another folder, to which a link in their place leads', async () => {
    const mine = join(folder, 'mine');
    await mkdir(mine);
    await symlink(join(folder, 'nowhere'), join(mine, 'a link of mine'));
    await mkdir(cacheDir);
    await symlink(mine, notes);
    expect(await runningFolders(cacheDir)).toEqual([]);
    await noteFolder(cacheDir, folder);
    expect(await readdir(mine)).toEqual(['a link of mine']);
  });

  it.each(['the cache folder', 'the folder of notes'])(
    'are neither read nor removed where every user can change %s',
    async (which) => {
      await noteFolder(cacheDir, join(folder, 'ended'));
      await chmod(which === 'the cache folder' ? cacheDir : notes, 0o777);
      expect(await runningFolders(cacheDir)).toEqual([]);
      expect(await readdir(notes)).toHaveLength(1);
    },
  );
});
