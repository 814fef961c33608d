import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MEBIBYTE_BYTES } from '../core/units.ts';
import { DEMO_VIDEO } from '../media/shipped-videos.ts';

const BOX_HEADER_BYTES = 8;

export interface DemoVideo {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * Writes the shipped video into a folder, made as large as asked so that several chunks are to be seen. What is added
 * is one `free` box, which every player skips: "the contents of a free-space box are irrelevant and may be ignored"
 * (ISO/IEC 14496-12, 8.1.2).
 */
export async function writeDemoVideo(folder: string, sizeBytes: number): Promise<DemoVideo> {
  const path = join(folder, 'demo.mp4');
  await copyFile(DEMO_VIDEO, path);
  const file = await open(path, 'r+');
  try {
    const { size: shippedBytes } = await file.stat();
    const header = Buffer.alloc(BOX_HEADER_BYTES);
    header.writeUInt32BE(sizeBytes - shippedBytes);
    header.write('free', 4, 'latin1');
    await file.write(header, 0, header.length, shippedBytes);
    await fill(file, shippedBytes + header.length, sizeBytes);
  } finally {
    await file.close();
  }
  return { path, sizeBytes, sha256: await sha256Of(path) };
}

/** Bytes that take room on every disk: a file with holes looks like one that is still being written. */
async function fill(file: FileHandle, startByte: number, endByteExclusive: number): Promise<void> {
  const block = randomBytes(MEBIBYTE_BYTES);
  for (let at = startByte; at < endByteExclusive; at += block.length) {
    await file.write(block, 0, Math.min(block.length, endByteExclusive - at), at);
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1_048_576 }), hash);
  return hash.digest('hex');
}
