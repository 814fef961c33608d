import { z } from 'zod';
import { chunkRefusal, EMPTY_OR_INCORRECT, type FileSource } from './chunk-rules.ts';
import type { SimulatorSwitches } from './options.ts';

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

const fileWire = z.object({
  source: z.literal('FILE_UPLOAD'),
  video_size: z.int().min(1),
  chunk_size: z.int().min(1),
  total_chunk_count: z.int(),
});
const sourceInfoWire = z.discriminatedUnion('source', [
  fileWire,
  z.object({ source: z.literal('PULL_FROM_URL'), video_url: z.string().min(1) }),
]);

/** Reads `source_info` and applies the chunk rules. */
export function parseSource(sourceInfo: unknown, megabyte: SimulatorSwitches['megabyte']): ParsedSource {
  const wire = sourceInfoWire.safeParse(sourceInfo);
  if (!wire.success) return { refusal: EMPTY_OR_INCORRECT };
  if (wire.data.source === 'PULL_FROM_URL') {
    return { source: { source: 'PULL_FROM_URL', media: 'video', urls: [wire.data.video_url] } };
  }
  const source = toFileSource(wire.data);
  const refusal = chunkRefusal(source, megabyte);
  return refusal === undefined ? { source } : { refusal };
}

/** A FILE_UPLOAD as it was announced, whether or not TikTok takes it; undefined where there is none. */
export function announcedFile(sourceInfo: unknown): FileSource | undefined {
  const wire = fileWire.safeParse(sourceInfo);
  return wire.success ? toFileSource(wire.data) : undefined;
}

function toFileSource(wire: z.output<typeof fileWire>): FileSource {
  return {
    source: 'FILE_UPLOAD',
    totalBytes: wire.video_size,
    chunkSizeBytes: wire.chunk_size,
    chunkCount: wire.total_chunk_count,
  };
}

/** The exact bytes chunk `index` (from 0) must have; the remainder of the file goes into the last one. */
export function chunkRange(plan: FileSource, index: number): { startByte: number; endByteExclusive: number } {
  const startByte = index * plan.chunkSizeBytes;
  const isLast = index === plan.chunkCount - 1;
  return { startByte, endByteExclusive: isLast ? plan.totalBytes : startByte + plan.chunkSizeBytes };
}
