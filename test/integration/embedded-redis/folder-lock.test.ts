import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withFolderLock } from '../../../src/embedded-redis/folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one in at a time and leaves nothing behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await nextTurn();
    inside -= 1;
  };
  const path = join(folder, 'lock');
  await Promise.all(Array.from({ length: 8 }, () => withFolderLock(path, { waitMs: 20_000 }, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it('lets the next one in after work that failed', async () => {
  const path = join(folder, 'lock');
  const failing = withFolderLock(path, { waitMs: 0 }, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withFolderLock(path, { waitMs: 0 }, async () => 'in')).toBe('in');
});

it('takes over the lock of a process that died', async () => {
  const path = join(folder, 'lock');
  await mkdir(path);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(path, longAgo, longAgo);
  const work = async () => 'in';
  expect(await Promise.all([1, 2, 3].map(() => withFolderLock(path, { waitMs: 20_000 }, work)))).toEqual([
    'in',
    'in',
    'in',
  ]);
  expect(await readdir(folder)).toEqual([]);
});

it('gives up when another process holds it for too long', async () => {
  const path = join(folder, 'lock');
  await mkdir(path);
  await expect(withFolderLock(path, { waitMs: 0 }, async () => 'in')).rejects.toThrow(path);
});
