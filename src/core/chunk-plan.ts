import { MEBIBYTE_BYTES, MEGABYTE_BYTES } from './units.ts';

/*
 * "Each chunk must be at least 5 MB but no greater than 64 MB … the final chunk can be greater than chunk_size (up to
 * 128 MB)", "total_chunk_count … should be equal to video_size divided by chunk_size, rounded down", "a minimum of 1
 * chunk and a maximum of 1000 chunks", "Videos with a total size greater than 64 MB must be uploaded in multiple chunks"
 * (developers.tiktok.com/doc/content-posting-api-media-transfer-guide, read 2026-11-22).
 * The page does not say whether an MB is 10^6 or 2^20 bytes, so each bound below is the stricter of the two.
 */

/** Smallest chunk of a multi-chunk upload: 5 MiB. @internal */
export const MIN_CHUNK_BYTES = 5 * MEBIBYTE_BYTES;
/** Largest chunk other than the last, and largest upload in a single chunk: 64 decimal MB. @internal */
export const MAX_CHUNK_BYTES = 64 * MEGABYTE_BYTES;
/** Largest last chunk: 128 decimal MB. @internal */
export const MAX_LAST_CHUNK_BYTES = 128 * MEGABYTE_BYTES;
/** Most chunks of an upload. @internal */
export const MAX_CHUNK_COUNT = 1_000;
/** Largest video, 4 decimal GB. */
export const MAX_VIDEO_BYTES = 4_000 * MEGABYTE_BYTES;
/** Default chunk size: small enough to lose little, large enough to cost no time. */
const DEFAULT_CHUNK_BYTES = 10 * MEGABYTE_BYTES;

/** How a file is cut: `video_size`, `chunk_size` and `total_chunk_count` of an init call. */
export interface ChunkPlan {
  readonly totalBytes: number;
  readonly chunkSizeBytes: number;
  readonly chunkCount: number;
}

/** One chunk of a plan, as a half-open range. */
export interface Chunk {
  readonly index: number;
  readonly startByte: number;
  readonly endByteExclusive: number;
  readonly isLast: boolean;
}

/**
 * Cuts a file the way TikTok asks for: several chunks if possible, so that an upload can resume.
 *
 * @example planChunks(50_000_123) // { totalBytes: 50_000_123, chunkSizeBytes: 10_000_000, chunkCount: 5 }
 * @param preferredChunkBytes brought within what TikTok accepts
 * @throws RangeError when there is no such upload: not 1 to 4,000,000,000 whole bytes
 */
export function planChunks(totalBytes: number, preferredChunkBytes = DEFAULT_CHUNK_BYTES): ChunkPlan {
  if (!Number.isInteger(totalBytes) || totalBytes < 1 || totalBytes > MAX_VIDEO_BYTES) {
    throw new RangeError(`expected totalBytes from 1 to ${MAX_VIDEO_BYTES}, got ${totalBytes}`);
  }
  if (!(preferredChunkBytes > 0)) {
    throw new RangeError(`expected preferredChunkBytes above 0, got ${preferredChunkBytes}`);
  }
  const clampedBytes = Math.floor(Math.min(Math.max(preferredChunkBytes, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES));
  if (totalBytes >= 2 * clampedBytes) return planWithChunks(totalBytes, clampedBytes);
  // "One chunk" must have chunk_size == video_size; a lone chunk above 64 MB is refused, so halve instead.
  return planWithChunks(totalBytes, totalBytes <= MAX_CHUNK_BYTES ? totalBytes : Math.floor(totalBytes / 2));
}

/** The plan with this chunk size; its last chunk takes the remainder. */
export function planWithChunks(totalBytes: number, chunkSizeBytes: number): ChunkPlan {
  return { totalBytes, chunkSizeBytes, chunkCount: Math.floor(totalBytes / chunkSizeBytes) };
}

/**
 * The chunk of this index; the last one takes the remainder.
 * @throws RangeError when the plan has no such chunk
 */
export function chunkAt(plan: ChunkPlan, index: number): Chunk {
  if (!Number.isInteger(index) || index < 0 || index >= plan.chunkCount) {
    throw new RangeError(`expected a chunk index from 0 to ${plan.chunkCount - 1}, got ${index}`);
  }
  const startByte = index * plan.chunkSizeBytes;
  const isLast = index === plan.chunkCount - 1;
  return { index, startByte, endByteExclusive: isLast ? plan.totalBytes : startByte + plan.chunkSizeBytes, isLast };
}

/** The index of the chunk that starts at this offset. @returns undefined if none does, as at the end of the file */
export function chunkIndexAtOffset(plan: ChunkPlan, offsetBytes: number): number | undefined {
  const index = offsetBytes / plan.chunkSizeBytes;
  return Number.isInteger(index) && index >= 0 && index < plan.chunkCount ? index : undefined;
}

/**
 * The accepted offset that TikTok's progress report means. Whether the reported number is a count or a last index is
 * not documented; since whole chunks are taken, only one of the two readings falls on the edge of a chunk.
 *
 * @returns 0, a chunk's edge or the total; undefined when neither reading is an edge
 */
export function edgeForReport(plan: ChunkPlan, reportedBytes: number): number | undefined {
  return [reportedBytes, reportedBytes + 1].find(
    (offsetBytes) => offsetBytes === plan.totalBytes || chunkIndexAtOffset(plan, offsetBytes) !== undefined,
  );
}
