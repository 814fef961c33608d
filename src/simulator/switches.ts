import { z } from 'zod';

/**
 * What TikTok's documentation leaves open, one switch per question. The defaults are the strict reading; run your
 * tests under the others too. docs/simulator.md lists them, and a test compares that list with this one.
 */
export const switchesSchema = z.strictObject({
  /** What "MB" means in the chunk rules: only sizes legal under both readings, 10^6 or 2^20. */
  megabyte: z.enum(['intersection', 'decimal', 'binary']).default('intersection'),
  /** What the upper end of the reply header `Content-Range: bytes 0-N/TOTAL` is. */
  contentRangeReading: z.enum(['last-index', 'count']).default('last-index'),
  /** Whether a 416 tells the accepted range. */
  contentRangeOn416: z.enum(['progress', 'absent']).default('progress'),
  /** The answer to a chunk that was accepted before: 416, or success without effect. */
  repeatedChunk: z.enum(['416', 'success']).default('416'),
  /** Whether a 429 carries `Retry-After`. */
  retryAfter: z.boolean().default(false),
  /** Whether a call answered 429 still uses up the quota. */
  throttledCallsUseQuota: z.boolean().default(false),
  /** `data` in an error answer: an empty object, or no such field. */
  errorData: z.enum(['empty', 'absent']).default('empty'),
  /** HTTP status of OAuth errors: 200 as reported by integrators, or 400 and 401 as RFC 6749 has it. */
  oauthErrorStatus: z.enum(['200', 'rfc']).default('200'),
  /** Whether access tokens issued before a refresh go on working until they expire. */
  oldAccessTokens: z.enum(['valid', 'invalid']).default('valid'),
  /** Whether a refresh starts the refresh token's lifetime anew. */
  refreshLifetimeRestarts: z.boolean().default(true),
  /** Branded content with SELF_ONLY privacy. */
  brandedSelfOnly: z.enum(['refuse', 'accept']).default('refuse'),
  /** Whether a publish that failed still counts against the daily caps. */
  failedPublishesCount: z.boolean().default(true),
  /** Cancelling an upload by FILE_UPLOAD: documented for pulls only. */
  cancelFileUpload: z.enum(['refuse', 'accept']).default('refuse'),
  /** Spelling of the code for bad parameters: as the live API has it, or as the documentation. */
  invalidParamsSpelling: z.enum(['invalid_params', 'invalid_param']).default('invalid_params'),
  /** What a pulled video's status is between the end of the download and the outcome. */
  pullProcessingStatus: z.enum(['PROCESSING_DOWNLOAD', 'PROCESSING_UPLOAD']).default('PROCESSING_DOWNLOAD'),
  /** Status fields: empty ones left out as real answers do, or all present as the documentation's example shows. */
  statusFields: z.enum(['omit-empty', 'all']).default('omit-empty'),
  /** When an upload that never got its bytes turns FAILED / internal, counted from init. */
  abandonedUploadFailsAfterMs: z.int().min(0).default(7_200_000),
  /** For how long after init a publish_id is still answered `invalid_publish_id`. */
  publishIdUnknownForMs: z.int().min(0).default(0),
  /** After how long a publish_id is forgotten; 0 is never. */
  publishIdLifetimeMs: z.int().min(0).default(0),
  /** The event of a post that became public; the pages of 2023 and 2026 differ. */
  publicWebhookSpelling: z.enum(['publicly_available', 'publicaly_available']).default('publicly_available'),
  /** Lets PULL_FROM_URL use http and hosts that nobody verified, such as a loopback server of a test. */
  pullUrlRules: z.enum(['enforce', 'off']).default('enforce'),
});

/** The switches with every value set. */
export type SimulatorSwitches = z.output<typeof switchesSchema>;
