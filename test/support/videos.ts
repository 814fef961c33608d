import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file that starts like an MP4 and goes on with random bytes, of exactly this size. */
export async function makeVideo(folder: string, sizeBytes: number, name = `video-${sizeBytes}.mp4`): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'w');
  try {
    const start = Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex');
    await file.write(start.subarray(0, Math.min(start.length, sizeBytes)));
    const block = randomBytes(1_048_576);
    for (let at = start.length; at < sizeBytes; at += block.length) {
      block.writeUInt32LE(at % 4_294_967_291);
      await file.write(block.subarray(0, Math.min(block.length, sizeBytes - at)));
    }
  } finally {
    await file.close();
  }
  return path;
}

/** SHA-256 (hex) of a file, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
