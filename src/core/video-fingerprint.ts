import { createHash } from 'node:crypto';
import type { MediaSource } from './ports.ts';

/** Up to this size a video is read whole; of a larger one no more than this is read (bytes). @internal */
export const FINGERPRINT_BYTES = 4_194_304;
const WINDOWS = 8;
const WINDOW_BYTES = FINGERPRINT_BYTES / WINDOWS;

/** A half-open range of a video. */
interface FingerprintRange {
  readonly startByte: number;
  readonly endByteExclusive: number;
}

/**
 * The parts of a video by which it is told from others: its beginning, its end, and windows evenly spaced between. Two
 * videos of the very same size that differ in none of them are taken for the same, which for encoded video means that
 * they are.
 *
 * @param sizeBytes at least 1
 * @example
 * fingerprintRanges(1_000); // [{ startByte: 0, endByteExclusive: 1_000 }]
 * @internal
 */
export function fingerprintRanges(sizeBytes: number): FingerprintRange[] {
  if (sizeBytes <= FINGERPRINT_BYTES) return [{ startByte: 0, endByteExclusive: sizeBytes }];
  const lastStartByte = sizeBytes - WINDOW_BYTES;
  return Array.from({ length: WINDOWS }, (_, index) => {
    const startByte = Math.floor((lastStartByte * index) / (WINDOWS - 1));
    return { startByte, endByteExclusive: startByte + WINDOW_BYTES };
  });
}

/** SHA-256 (hex) of a video's size and of its windows. */
export async function fingerprintVideo(
  source: Pick<MediaSource, 'pin' | 'read'>,
  signal?: AbortSignal,
): Promise<string> {
  const { sizeBytes } = source.pin;
  const hash = createHash('sha256').update(`${sizeBytes}:`);
  for (const { startByte, endByteExclusive } of fingerprintRanges(sizeBytes)) {
    signal?.throwIfAborted();
    for await (const piece of source.read(startByte, endByteExclusive)) hash.update(piece);
  }
  return hash.digest('hex');
}
