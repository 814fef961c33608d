import { z } from 'zod';
import type { SimulatorSwitches } from './options.ts';

/** A FILE_UPLOAD as announced at init. */
export interface FileSource {
  source: 'FILE_UPLOAD';
  totalBytes: number;
  chunkSizeBytes: number;
  chunkCount: number;
}

/** A PULL_FROM_URL as announced at init. */
export interface PullSource {
  source: 'PULL_FROM_URL';
  media: 'video' | 'photos';
  /** One for a video; for photos in the order of the post. */
  urls: string[];
}

export type Source = FileSource | PullSource;

/** A source, or the message of the `invalid_params` that refuses it. */
export type ParsedSource = { source: Source } | { refusal: string };

export const EMPTY_OR_INCORRECT = 'The request source info is empty or incorrect';
const CHUNK_SIZE_INVALID = 'The chunk size is invalid';
const CHUNK_COUNT_INVALID = 'The total chunk count is invalid';

/**
 * "Each chunk must be at least 5 MB but no greater than 64 MB, except for the final chunk, which can be greater than
 * chunk_size (up to 128 MB)"; "maximum of 4 GB" (content-posting-api-media-transfer-guide, read 2026-11-22). The page
 * does not say whether an MB has 10^6 or 2^20 bytes.
 */
const SIZE_RULES = {
  intersection: { minChunkBytes: 5_242_880, maxChunkBytes: 64_000_000, maxLastBytes: 128_000_000, maxBytes: 4e9 },
  decimal: { minChunkBytes: 5_000_000, maxChunkBytes: 64_000_000, maxLastBytes: 128_000_000, maxBytes: 4e9 },
  binary: { minChunkBytes: 5_242_880, maxChunkBytes: 67_108_864, maxLastBytes: 134_217_728, maxBytes: 4 * 2 ** 30 },
} as const satisfies Record<SimulatorSwitches['megabyte'], Record<string, number>>;

const sourceInfoWire = z.discriminatedUnion('source', [
  z.object({
    source: z.literal('FILE_UPLOAD'),
    video_size: z.int().min(1),
    chunk_size: z.int().min(1),
    total_chunk_count: z.int(),
  }),
  z.object({ source: z.literal('PULL_FROM_URL'), video_url: z.string().min(1) }),
]);

/** Reads `source_info` and applies the chunk rules. */
export function parseSource(sourceInfo: unknown, megabyte: SimulatorSwitches['megabyte']): ParsedSource {
  const wire = sourceInfoWire.safeParse(sourceInfo);
  if (!wire.success) return { refusal: EMPTY_OR_INCORRECT };
  if (wire.data.source === 'PULL_FROM_URL') {
    return { source: { source: 'PULL_FROM_URL', media: 'video', urls: [wire.data.video_url] } };
  }
  const source: FileSource = {
    source: 'FILE_UPLOAD',
    totalBytes: wire.data.video_size,
    chunkSizeBytes: wire.data.chunk_size,
    chunkCount: wire.data.total_chunk_count,
  };
  const refusal = chunkRefusal(source, megabyte);
  return refusal === undefined ? { source } : { refusal };
}

/** The exact bytes chunk `index` (from 0) must have; the remainder of the file goes into the last one. */
export function chunkRange(plan: FileSource, index: number): { startByte: number; endByteExclusive: number } {
  const startByte = index * plan.chunkSizeBytes;
  const isLast = index === plan.chunkCount - 1;
  return { startByte, endByteExclusive: isLast ? plan.totalBytes : startByte + plan.chunkSizeBytes };
}

function chunkRefusal(plan: FileSource, megabyte: SimulatorSwitches['megabyte']): string | undefined {
  const { minChunkBytes, maxChunkBytes, maxLastBytes, maxBytes } = SIZE_RULES[megabyte];
  const { totalBytes, chunkSizeBytes, chunkCount } = plan;
  if (totalBytes > maxBytes) return EMPTY_OR_INCORRECT;
  // A file uploaded whole: "chunk_size should be equal to video_size", also below the minimum.
  const isWhole = chunkSizeBytes === totalBytes;
  if (chunkSizeBytes > maxChunkBytes || (!isWhole && chunkSizeBytes < minChunkBytes)) return CHUNK_SIZE_INVALID;
  if (chunkSizeBytes > totalBytes) return CHUNK_SIZE_INVALID;
  // "total_chunk_count should be equal to video_size divided by chunk_size, rounded down". The documented ceiling of
  // 1000 chunks cannot be passed: the smallest chunks and the largest file make 819.
  if (chunkCount !== Math.floor(totalBytes / chunkSizeBytes)) return CHUNK_COUNT_INVALID;
  if (chunkCount === 1 && !isWhole) return CHUNK_SIZE_INVALID;
  const last = chunkRange(plan, chunkCount - 1);
  return last.endByteExclusive - last.startByte > maxLastBytes ? CHUNK_SIZE_INVALID : undefined;
}
