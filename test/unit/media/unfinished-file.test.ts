import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, link, mkdir, mkdtemp, open, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { openFileSource } from '../../../src/media/file-source.ts';
import { startWriter } from '../../support/file-writer.ts';
import { firstLine } from '../../support/first-line.ts';

const HEAD = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1');
const OLD = new Date('2026-01-01');

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unfinished-file-'));
  path = join(folder, 'a.mp4');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Whether the file opens as a whole one, or why not. */
async function verdict(roots?: readonly string[]): Promise<string> {
  try {
    const source = await openFileSource(path, { roots });
    await source.close();
    return source.remarks?.join() ?? 'whole';
  } catch (error) {
    return error instanceof PublishError ? error.code : String(error);
  }
}

/** Writes the beginning of a file and, so that it is long enough, nothing more. */
async function sparseFile(sizeBytes: number): Promise<void> {
  await writeFile(path, HEAD);
  await truncate(path, sizeBytes);
}

describe('a file that another process writes', () => {
  it('is not taken until the process is done', async () => {
    await writeFile(path, HEAD);
    const writer = await startWriter(path);
    for (const _look of [1, 2, 3]) expect(await verdict()).toBe('INPUT_MEDIA_BEING_WRITTEN');
    await writer.stop();
    expect(await verdict()).toBe('whole');
  });

  it('is taken at once when it was written in one go a moment ago', async () => {
    await writeFile(path, Buffer.concat([HEAD, Buffer.alloc(1_000_000, 7)]));
    expect(await verdict()).toBe('whole');
  });
});

describe('a file with holes', () => {
  it('is not taken while somebody may be filling them', async () => {
    await sparseFile(10_000_000);
    expect(await verdict()).toBe('INPUT_MEDIA_BEING_WRITTEN');
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(9_999_000, 7), 0, 9_999_000, 1_000);
    await file.close();
    expect(await verdict()).toBe('whole');
  });

  it('is taken with a remark when nobody has touched it for long', async () => {
    await sparseFile(10_000_000);
    await utimes(path, OLD, OLD);
    expect(await verdict()).toMatch(/^the file uses 99\d{5} bytes less on disk than its size/);
  });

  it('is called too large, and nothing else, when it is', async () => {
    await sparseFile(4_000_000_001);
    expect(await verdict()).toBe('INPUT_MEDIA_TOO_LARGE');
  });
});

describe('a hard link', () => {
  it('is a file like any other, and a change by its other name is noticed', async () => {
    const original = join(folder, 'original.mp4');
    await writeFile(original, Buffer.concat([HEAD, Buffer.alloc(100)]));
    await link(original, path);
    const source = await openFileSource(path);
    expect(await source.verifyUnchanged()).toBeUndefined();
    await appendFile(original, 'more');
    await expect(source.verifyUnchanged()).rejects.toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
    await source.close();
  });
});

// Elsewhere nobody tells where an open file lies.
describe.runIf(process.platform === 'linux')('a folder that is swapped for a link', () => {
  it('never lets a file outside of the roots in, whenever it happens', async () => {
    const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
    for (const each of [join(root, 'real'), outside]) {
      await mkdir(each, { recursive: true });
    }
    await writeFile(join(root, 'real', 'a.mp4'), Buffer.concat([HEAD, Buffer.alloc(100)]));
    await writeFile(join(outside, 'a.mp4'), Buffer.concat([HEAD, Buffer.alloc(999)]));
    await utimes(join(root, 'real', 'a.mp4'), OLD, OLD);
    await utimes(join(outside, 'a.mp4'), OLD, OLD);
    await symlink(outside, join(root, 'link'));
    path = join(root, 'real', 'a.mp4');
    const script = `
      const { renameSync } = require('node:fs');
      process.chdir(process.argv[1]);
      process.stdin.on('end', () => process.exit()).resume();
      process.stdout.write('swapping\\n');
      const swap = () => {
        for (let i = 0; i < 200; i += 1) {
          renameSync('real', 'aside'); renameSync('link', 'real');
          renameSync('real', 'link'); renameSync('aside', 'real');
        }
        setImmediate(swap);
      };
      swap();
    `;
    const child = spawn(process.execPath, ['-e', script, root], { stdio: ['pipe', 'pipe', 'inherit'] });
    await firstLine(child);
    const sizes = new Map<number | string, number>();
    for (let turn = 0; turn < 3_000; turn += 1) {
      const outcome = await openFileSource(path, { roots: [root] }).then(
        async (source) => {
          await source.close();
          return source.pin.sizeBytes;
        },
        (error) => (error instanceof PublishError ? error.code : String(error)),
      );
      sizes.set(outcome, (sizes.get(outcome) ?? 0) + 1);
    }
    child.stdin?.end();
    await once(child, 'exit');
    expect(sizes.get(HEAD.length + 100)).toBeGreaterThan(0);
    expect(sizes.has(HEAD.length + 999)).toBe(false);
  });
});
