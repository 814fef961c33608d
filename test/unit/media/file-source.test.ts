import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  open,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MediaSource } from '../../../src/core/ports.ts';
import { type FileSourceOptions, openFileSource } from '../../../src/media/file-source.ts';

const MIB = 1_048_576;
const HEAD = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1');

let folder: string;
const opened: MediaSource[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-source-'));
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  await rm(folder, { recursive: true });
});

/** A file that passes for an MP4. */
async function videoFile(sizeBytes = 100, name = 'a.mp4'): Promise<{ path: string; bytes: Buffer }> {
  const path = join(folder, name);
  const bytes = Buffer.concat([HEAD, randomBytes(sizeBytes - HEAD.length)]);
  await writeFile(path, bytes);
  return { path, bytes };
}

async function opening(path: string, options?: FileSourceOptions): Promise<MediaSource> {
  const source = await openFileSource(path, options);
  opened.push(source);
  return source;
}

async function readAll(source: MediaSource, startByte: number, endByteExclusive: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source.read(startByte, endByteExclusive)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a name with accents', () => {
  it.each([
    ['NFC', 'NFD'],
    ['NFD', 'NFC'],
  ])('is found where the disk spells it in %s and the path in %s', async (onDisk, given) => {
    const inFolder = join(folder, 'Vidéos'.normalize(onDisk));
    await mkdir(inFolder);
    const name = join('Vidéos', 'Café.mp4');
    const { path } = await videoFile(100, name.normalize(onDisk));
    const asked = path.normalize(given);
    expect(asked).not.toBe(path);
    for (const roots of [undefined, [inFolder], [inFolder.normalize(given), folder]]) {
      const source = await openFileSource(asked, { roots });
      opened.push(source);
      await source.verifyUnchanged();
    }
    await expect(openFileSource(join(folder, 'Gâteau.mp4'))).rejects.toMatchObject({ code: 'INPUT_MEDIA_NOT_FOUND' });
    const elsewhere = { roots: [join(folder, 'other')] };
    await expect(openFileSource(asked, elsewhere)).rejects.toMatchObject({ code: 'INPUT_MEDIA_OUTSIDE_ROOTS' });
  });
});

describe('openFileSource', () => {
  it('pins the size and the version of the file and tells its type', async () => {
    const { path } = await videoFile(1_234);
    const source = await opening(path);
    expect(source.contentType).toBe('video/mp4');
    expect(source.pin).toEqual({ sizeBytes: 1_234, version: expect.stringMatching(/^\d+-\d+$/) });
    expect((await opening(path)).pin).toEqual(source.pin);
  });

  it.each([
    ['does not exist', 'INPUT_MEDIA_NOT_FOUND', async () => join(folder, 'none.mp4')],
    ['goes through a file', 'INPUT_MEDIA_NOT_FOUND', async () => join((await videoFile()).path, 'b.mp4')],
    ['holds a NUL', 'INPUT_MEDIA_NOT_FOUND', async () => join(folder, 'a\0b.mp4')],
    ['is a directory', 'INPUT_MEDIA_NOT_A_FILE', async () => folder],
    ['is a device', 'INPUT_MEDIA_NOT_A_FILE', async () => '/dev/zero'],
    ['is a terminal', 'INPUT_MEDIA_NOT_A_FILE', async () => '/dev/null'],
  ])('refuses a path that %s as %s and names it', async (_what, code, makePath) => {
    const path = await makePath();
    await expect(openFileSource(path)).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
  });

  it('refuses a pipe without waiting for its writer', async () => {
    const path = join(folder, 'pipe.mp4');
    execFileSync('mkfifo', [path]);
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_NOT_A_FILE' });
  });

  it('refuses a socket', async () => {
    const path = join(folder, 'socket.mp4');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_NOT_A_FILE' });
    await new Promise((resolve) => server.close(resolve));
  });

  // root may read everything
  it.skipIf(process.getuid?.() === 0)('refuses a file that may not be read', async () => {
    const { path } = await videoFile();
    await chmod(path, 0);
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_NOT_READABLE' });
  });

  it('refuses an empty file, one that is too large and one that is no video', async () => {
    const path = join(folder, 'a.mp4');
    await writeFile(path, '');
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_EMPTY' });
    await writeFile(path, 'just some text that is no video');
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_CONTAINER_UNSUPPORTED' });
    await truncate(path, 4_000_000_001);
    await expect(openFileSource(path)).rejects.toMatchObject({ code: 'INPUT_MEDIA_TOO_LARGE' });
  });

  it('takes a file of exactly four billion bytes', async () => {
    const { path } = await videoFile();
    await truncate(path, 4_000_000_000);
    await utimes(path, 1, 1);
    expect((await opening(path)).pin.sizeBytes).toBe(4_000_000_000);
  });
});

describe('the roots of openFileSource', () => {
  it('let in what lies below them, through links as well', async () => {
    const { path } = await videoFile(100, 'x.mp4');
    const linked = `${folder}-link`;
    await symlink(folder, linked);
    for (const [root, file] of [
      [folder, path],
      [linked, path],
      [folder, join(linked, 'x.mp4')],
      ['/', path],
    ] as const) {
      expect((await opening(file, { roots: ['/no/such/folder', root, linked] })).pin.sizeBytes).toBe(100);
    }
    await rm(linked);
  });

  it('keep out what lies beside them, what climbs out and what a link leads out to', async () => {
    const root = join(folder, 'root');
    await mkdir(root);
    const { path } = await videoFile(100, 'root-not.mp4');
    await symlink(path, join(root, 'link.mp4'));
    for (const outside of [path, join(root, '..', 'root-not.mp4'), join(root, 'link.mp4'), join(folder, 'none.mp4')]) {
      await expect(openFileSource(outside, { roots: [root] })).rejects.toMatchObject({
        code: 'INPUT_MEDIA_OUTSIDE_ROOTS',
      });
    }
  });

  it('keep everything out when there are none', async () => {
    const { path } = await videoFile();
    await expect(openFileSource(path, { roots: [] })).rejects.toMatchObject({ code: 'INPUT_MEDIA_OUTSIDE_ROOTS' });
  });
});

describe('read', () => {
  it.each([
    [0, 100],
    [0, 1],
    [MIB - 1, MIB + 1],
    [0, MIB],
    [17, 5 * MIB + 3],
    [0, 7 * MIB + 11],
    [7 * MIB, 7 * MIB + 11],
  ])('gives the bytes from %i to %i', async (startByte, endByteExclusive) => {
    const { path, bytes } = await videoFile(7 * MIB + 11);
    const source = await opening(path);
    const got = await readAll(source, startByte, endByteExclusive);
    expect(sha256(got)).toBe(sha256(bytes.subarray(startByte, endByteExclusive)));
  });

  it('can be asked again for the same bytes', async () => {
    const { path, bytes } = await videoFile(2 * MIB);
    const source = await opening(path);
    for (const _ of [1, 2]) expect(sha256(await readAll(source, 0, 2 * MIB))).toBe(sha256(bytes));
  });

  it('reads the right bytes wherever the next read begins', async () => {
    const { path, bytes } = await videoFile(12 * MIB);
    const source = await opening(path);
    const ranges = [0, 4, 4, 8, 0].map((first) => [first * MIB, first * MIB + 4 * MIB] as const);
    for (const [from, to] of [...ranges, [4 * MIB, 4 * MIB + 10], [4 * MIB + 10, 12 * MIB]] as const) {
      expect(sha256(await readAll(source, from, to))).toBe(sha256(bytes.subarray(from, to)));
    }
  });

  it('keeps the memory of a reader that gave up midway, who may still be sending', async () => {
    const { path, bytes } = await videoFile(5 * MIB);
    const source = await openFileSource(path);
    const { value: piece = HEAD } = await source
      .read(0, 5 * MIB)
      [Symbol.asyncIterator]()
      .next();
    await source.close();
    const others = await Promise.all(
      [1, 2, 3].map(async (n) => await opening((await videoFile(MIB, `${n}.mp4`)).path)),
    );
    for (const other of others) await readAll(other, 0, MIB);
    expect(sha256(Buffer.from(piece))).toBe(sha256(bytes.subarray(0, piece.byteLength)));
  });

  it('uses the memory of sources that were read to the end and closed', async () => {
    const { path } = await videoFile();
    const memory = new Set<ArrayBufferLike>();
    for (const _ of [1, 2, 3]) {
      const source = await openFileSource(path);
      for await (const piece of source.read(0, 100)) memory.add(piece.buffer);
      await source.close();
    }
    expect(memory.size).toBe(1);
  });

  it.each([
    [-1, 10],
    [10, 10],
    [0, 101],
    [Number.NaN, 10],
  ])('refuses the range from %d to %d of 100 bytes', async (startByte, endByteExclusive) => {
    const source = await opening((await videoFile(100)).path);
    expect(() => source.read(startByte, endByteExclusive)).toThrow('expected a range within 0 to 100');
  });

  it('keeps reading right when a reader is left in the midst, returned or not', async () => {
    const { path, bytes } = await videoFile(6 * MIB);
    const source = await opening(path);
    const returned = source.read(0, 6 * MIB);
    await returned.next();
    await returned.return();
    const abandoned = source.read(MIB, 6 * MIB);
    await abandoned.next();
    expect(sha256(await readAll(source, 0, 6 * MIB))).toBe(sha256(bytes));
    await expect(abandoned.next()).rejects.toThrow('another read of this source has started');
  });

  it('says so when the file has become shorter, and leaves no rejection behind', async () => {
    const { path } = await videoFile(8 * MIB);
    const source = await opening(path);
    await truncate(path, 4 * MIB);
    const reading = readAll(source, 0, 8 * MIB);
    await expect(reading).rejects.toMatchObject({
      code: 'INPUT_MEDIA_CHANGED',
      message: `expected more data from ${path} at byte ${4 * MIB}, but it ends there`,
    });
    const abandoned = source.read(2 * MIB, 8 * MIB);
    await abandoned.next();
    await abandoned.return();
  });

  it('says so when the file cannot be read any more', async () => {
    const { path } = await videoFile();
    const source = await openFileSource(path);
    await source.close();
    await expect(readAll(source, 0, 100)).rejects.toMatchObject({ code: 'INPUT_MEDIA_NOT_READABLE' });
  });
});

describe('verifyUnchanged', () => {
  it('is content with a file that was only read', async () => {
    const source = await opening((await videoFile()).path);
    await readAll(source, 0, 100);
    expect(await source.verifyUnchanged()).toBeUndefined();
  });

  it.each([
    ['longer', (path: string) => appendFile(path, 'more')],
    ['shorter', (path: string) => truncate(path, 50)],
    [
      'written to in place',
      async (path: string) => {
        const handle = await open(path, 'r+');
        await handle.write('x', 50);
        await handle.close();
        await utimes(path, new Date(), new Date('2030-01-01'));
      },
    ],
    [
      'replaced by another of the same size',
      async (path: string) => {
        const other = await videoFile(100, 'other.mp4');
        await rename(other.path, path);
      },
    ],
    ['gone', (path: string) => rm(path)],
  ])('notices a file that is %s', async (_what, change) => {
    const { path } = await videoFile();
    const source = await opening(path);
    await change(path);
    await expect(source.verifyUnchanged()).rejects.toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
  });

  it('notices a link that leads to another file now', async () => {
    const first = await videoFile(100, 'first.mp4');
    const second = await videoFile(100, 'second.mp4');
    const link = join(folder, 'link.mp4');
    await symlink(first.path, link);
    const source = await opening(link);
    await rm(link);
    await symlink(second.path, link);
    await expect(source.verifyUnchanged()).rejects.toMatchObject({ code: 'INPUT_MEDIA_CHANGED' });
  });
});

describe('close', () => {
  it('may be called twice', async () => {
    const source = await openFileSource((await videoFile()).path);
    await source.close();
    expect(await source.close()).toBeUndefined();
  });
});
