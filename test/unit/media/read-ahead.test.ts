import { type FileReadResult, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { MEBIBYTE_BYTES as MIB } from '../../../src/core/units.ts';
import { createReadAhead } from '../../../src/media/read-ahead.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-ahead-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Where the reads of a file of 8 MiB begin, once a range of it was read to its end. */
async function readsOf(startByte: number, endByteExclusive: number): Promise<number[]> {
  const path = join(folder, 'a.mp4');
  await writeFile(path, Buffer.alloc(8 * MIB));
  const handle = await open(path);
  const offsets: number[] = [];
  const fill = handle.read.bind(handle) as (...args: unknown[]) => Promise<FileReadResult<Buffer>>;
  vi.spyOn(handle, 'read').mockImplementation((...args: unknown[]) => {
    offsets.push(Number(args[3]) / MIB);
    return fill(...args);
  });
  const { read } = createReadAhead(handle, path, 8 * MIB);
  for await (const _ of read(startByte, endByteExclusive));
  await handle.close();
  return offsets;
}

it('reads the beginning of the next chunk while the end of this one is sent', async () => {
  expect(await readsOf(0, 4 * MIB)).toEqual([0, 2, 4]);
});

it('reads nothing after the last chunk, nor after a look at a few bytes', async () => {
  expect(await readsOf(4 * MIB, 8 * MIB)).toEqual([4, 6]);
  expect(await readsOf(0, 100)).toEqual([0]);
});
