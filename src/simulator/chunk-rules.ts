import type { SimulatorSwitches } from './options.ts';

/** A FILE_UPLOAD as announced at init. */
export interface FileSource {
  source: 'FILE_UPLOAD';
  totalBytes: number;
  chunkSizeBytes: number;
  chunkCount: number;
}

interface SizeLimits {
  minChunkBytes: number;
  maxChunkBytes: number;
  maxLastBytes: number;
  maxBytes: number;
}

/**
 * "Each chunk must be at least 5 MB but no greater than 64 MB, except for the final chunk, which can be greater than
 * chunk_size (up to 128 MB)"; "maximum of 4 GB" (content-posting-api-media-transfer-guide, read 2026-11-22). The page
 * does not say whether an MB has 10^6 or 2^20 bytes.
 */
export const SIZE_LIMITS = {
  intersection: { minChunkBytes: 5_242_880, maxChunkBytes: 64_000_000, maxLastBytes: 128_000_000, maxBytes: 4e9 },
  decimal: { minChunkBytes: 5_000_000, maxChunkBytes: 64_000_000, maxLastBytes: 128_000_000, maxBytes: 4e9 },
  binary: { minChunkBytes: 5_242_880, maxChunkBytes: 67_108_864, maxLastBytes: 134_217_728, maxBytes: 4 * 2 ** 30 },
} as const satisfies Record<SimulatorSwitches['megabyte'], SizeLimits>;

export const EMPTY_OR_INCORRECT = 'The request source info is empty or incorrect';
const CHUNK_SIZE_INVALID = 'The chunk size is invalid';
const CHUNK_COUNT_INVALID = 'The total chunk count is invalid';

/** One rule of how a file is cut. */
interface ChunkRule {
  /** TikTok's message to who breaks it. */
  message: string;
  /** Whether a plan can break it at all. */
  applies(plan: FileSource): boolean;
  /** What is wrong, in numbers, or undefined. */
  fault(plan: FileSource, limits: SizeLimits): string | undefined;
}

const isWhole = (plan: FileSource) => plan.chunkSizeBytes === plan.totalBytes;
const isCut = (plan: FileSource) => plan.chunkSizeBytes <= plan.totalBytes;
const lastBytes = (plan: FileSource) => plan.totalBytes - (plan.chunkCount - 1) * plan.chunkSizeBytes;

/** In the order in which an init is refused for them. The documented 1000 chunks cannot be passed: 4 GB make 819. */
const CHUNK_RULES = {
  'file-size': {
    message: EMPTY_OR_INCORRECT,
    applies: () => true,
    fault: ({ totalBytes }, { maxBytes }) => over('video_size', totalBytes, maxBytes),
  },
  'chunk-size-max': {
    message: CHUNK_SIZE_INVALID,
    applies: () => true,
    fault: ({ chunkSizeBytes }, { maxChunkBytes }) => over('chunk_size', chunkSizeBytes, maxChunkBytes),
  },
  // A file uploaded whole: "chunk_size should be equal to video_size", also below the minimum.
  'chunk-size-min': {
    message: CHUNK_SIZE_INVALID,
    applies: (plan) => !isWhole(plan),
    fault: ({ chunkSizeBytes }, { minChunkBytes }) =>
      chunkSizeBytes < minChunkBytes ? `chunk_size ${chunkSizeBytes} is below ${minChunkBytes}` : undefined,
  },
  // "total_chunk_count should be equal to video_size divided by chunk_size, rounded down".
  'chunk-count': {
    message: CHUNK_COUNT_INVALID,
    applies: isCut,
    fault: ({ totalBytes, chunkSizeBytes, chunkCount }) => {
      const rightCount = Math.floor(totalBytes / chunkSizeBytes);
      return chunkCount === rightCount
        ? undefined
        : `total_chunk_count ${chunkCount} is not floor(${totalBytes} / ${chunkSizeBytes}) = ${rightCount}`;
    },
  },
  'one-chunk': {
    message: CHUNK_SIZE_INVALID,
    applies: (plan) => plan.chunkCount === 1 || !isCut(plan),
    fault: (plan) =>
      isWhole(plan) ? undefined : `chunk_size ${plan.chunkSizeBytes} is not video_size ${plan.totalBytes}`,
  },
  'last-chunk': {
    message: CHUNK_SIZE_INVALID,
    applies: (plan) => plan.chunkCount > 1,
    fault: (plan, { maxLastBytes }) =>
      lastBytes(plan) < 1
        ? `nothing is left for the last chunk`
        : over('the last chunk', lastBytes(plan), maxLastBytes),
  },
} as const satisfies Record<string, ChunkRule>;

export type ChunkRuleId = keyof typeof CHUNK_RULES;

export const CHUNK_RULE_ENTRIES = Object.entries(CHUNK_RULES) as [ChunkRuleId, ChunkRule][];

/** The message of the `invalid_params` that refuses a plan, if one does. */
export function chunkRefusal(plan: FileSource, megabyte: SimulatorSwitches['megabyte']): string | undefined {
  const broken = CHUNK_RULE_ENTRIES.find(
    ([, rule]) => rule.applies(plan) && rule.fault(plan, SIZE_LIMITS[megabyte]) !== undefined,
  );
  return broken?.[1].message;
}

function over(name: string, bytes: number, maxBytes: number): string | undefined {
  return bytes > maxBytes ? `${name} ${bytes} is over ${maxBytes}` : undefined;
}
