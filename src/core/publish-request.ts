import { z } from 'zod';
import { isLoopbackHost } from './loopback-host.ts';
import { PRIVACY_LEVELS } from './privacy-levels.ts';
import { type InputProblem, PublishError } from './publish-error.ts';
import { conflictsIn } from './request-conflicts.ts';

/** The newest payload version this program writes and reads. */
export const REQUEST_VERSION = 1;

/** Longest caption of a video, in UTF-16 units, that is JavaScript's `length` (content-posting-api-reference-direct-post). */
export const MAX_TITLE_LENGTH = 2_200;
const MAX_SEALED_LENGTH = 500_000;
const MAX_METADATA_BYTES = 2_048;
const MAX_ACCOUNT_LENGTH = 128;
/** BullMQ's own bound, 2^21 - 1. */
const MAX_PRIORITY = 2_097_151;

/** Most photos of one post (content-posting-api-reference-photo-post, read 2026-11-22). */
export const MAX_PHOTOS = 35;
/** Longest description of a photo post, in UTF-16 units (content-posting-api-reference-photo-post). */
export const MAX_DESCRIPTION_LENGTH = 4_000;
/** S3's own bounds: names of buckets, and keys in bytes of UTF-8. */
const MAX_BUCKET_LENGTH = 255;
const MAX_OBJECT_KEY_BYTES = 1_024;
const MAX_URL_LENGTH = 8_192;

const webUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' }).max(MAX_URL_LENGTH);
const httpsUrl = webUrl.refine((url) => isSecureUrl(url), 'expected an https:// URL');

const MEDIA_TYPES_TEXT = '"file", "url", "s3", "pull" or "photos"';

const mediaSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('file'), path: z.string().min(1, 'expected the path of a video file') }),
    z.strictObject({ type: z.literal('url'), url: webUrl }),
    z.strictObject({
      type: z.literal('s3'),
      bucket: z.string().min(1, 'expected the name of a bucket').max(MAX_BUCKET_LENGTH),
      key: z
        .string()
        .min(1, 'expected the key of an object')
        .refine((key) => Buffer.byteLength(key) <= MAX_OBJECT_KEY_BYTES, {
          error: `expected at most ${MAX_OBJECT_KEY_BYTES} bytes`,
        }),
      versionId: z.string().min(1).max(MAX_OBJECT_KEY_BYTES).optional(),
    }),
    z.strictObject({
      type: z.literal('pull'),
      url: httpsUrl,
      /** When TikTok's download is provably dead, we fetch the video and upload it. */
      fallback: z.literal('upload', { error: 'expected "upload"' }).optional(),
    }),
    z.strictObject({
      type: z.literal('photos'),
      urls: z
        .array(httpsUrl)
        .min(1, 'expected at least one URL')
        .max(MAX_PHOTOS, `expected at most ${MAX_PHOTOS} photos`),
      coverIndex: z.int().nonnegative().optional(),
    }),
  ],
  { error: `expected media.type ${MEDIA_TYPES_TEXT}` },
);

const postSchema = z.strictObject({
  title: textOf(MAX_TITLE_LENGTH).optional(),
  /** Photos only. */
  description: textOf(MAX_DESCRIPTION_LENGTH).optional(),
  privacyLevel: z.enum(PRIVACY_LEVELS, { error: `expected one of ${PRIVACY_LEVELS.join(', ')}` }).optional(),
  disableDuet: z.boolean().optional(),
  disableStitch: z.boolean().optional(),
  disableComment: z.boolean().optional(),
  coverTimestampMs: z.int().nonnegative().optional(),
  brandContent: z.boolean().optional(),
  brandOrganic: z.boolean().optional(),
  aiGenerated: z.boolean().optional(),
  /** Photos only: TikTok chooses music to go with them. */
  autoAddMusic: z.boolean().optional(),
});

/** A text whose length counts as TikTok counts it. */
function textOf(maxLength: number) {
  return z.string().superRefine((text, context) => {
    if (text.length > maxLength) context.addIssue({ code: 'custom', message: tooLong(maxLength, text) });
  });
}

function tooLong(maxLength: number, text: string): string {
  return `expected at most ${maxLength} UTF-16 units, got ${text.length}`;
}

/** https, or plain http to this very machine, where nobody listens in. */
function isSecureUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopbackHost(hostname);
}

/** Version 1 of a publish request: what producers send and what lies in the queue. */
export const publishRequestSchema = z
  .strictObject({
    version: z.literal(REQUEST_VERSION).optional(),
    account: z
      .string({ error: 'expected the name of an account' })
      .min(1, 'expected the name of an account')
      .max(MAX_ACCOUNT_LENGTH)
      .regex(/^[^\s{}\p{Cc}]+$/u, 'expected a name without white space and braces'),
    mode: z.enum(['direct', 'inbox'], { error: 'expected "direct" or "inbox"' }),
    media: mediaSchema,
    post: postSchema.optional(),
    scheduledAt: z.iso
      .datetime({ offset: true, error: 'expected an ISO 8601 time with a zone, such as 2026-12-01T10:00:00Z' })
      .optional(),
    priority: z.int().min(0).max(MAX_PRIORITY).optional(),
    callbackUrl: httpsUrl.optional(),
    /** What to do when the answer to a pull's init was lost: TikTok may or may not be publishing it. */
    onLostInit: z.enum(['unconfirmed', 'repeat'], { error: 'expected "unconfirmed" or "repeat"' }).optional(),
    /** What to do when the same video was enqueued for this account not long ago. */
    onDuplicate: z.enum(['allow', 'warn', 'refuse'], { error: 'expected "allow", "warn" or "refuse"' }).optional(),
    /** Set by the library: the parts of URLs that are secrets, sealed for the workers. */
    sealed: z.string().max(MAX_SEALED_LENGTH).optional(),
    metadata: z
      .record(z.string(), z.unknown())
      .refine((metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES, {
        error: `expected at most ${MAX_METADATA_BYTES} bytes of JSON`,
      })
      .optional(),
  })
  .superRefine((request, context) => {
    for (const { path, message } of conflictsIn(request)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });

export type PublishRequest = z.infer<typeof publishRequestSchema>;
export type PublishMode = PublishRequest['mode'];
export type MediaType = PublishRequest['media']['type'];

/**
 * Parses an unknown value as a publish request.
 * @throws PublishError `INPUT_INVALID` with every problem, `INPUT_VERSION_UNSUPPORTED` for a payload of the future
 */
export function parsePublishRequest(input: unknown): PublishRequest {
  refuseOtherVersions(input);
  const result = publishRequestSchema.safeParse(input);
  if (result.success) return result.data;
  throw new PublishError('INPUT_INVALID', { problems: result.error.issues.flatMap(toProblems) });
}

function refuseOtherVersions(input: unknown): void {
  if (!isRecord(input) || input.version === undefined || input.version === REQUEST_VERSION) return;
  const version = JSON.stringify(input.version).slice(0, 40);
  throw new PublishError('INPUT_VERSION_UNSUPPORTED', {
    reason: `version: expected ${REQUEST_VERSION}, got ${version}`,
  });
}

function toProblems(issue: z.core.$ZodIssue): InputProblem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [path, key].filter(Boolean).join('.'),
      message: 'unknown field: remove it or check its spelling',
    }));
  }
  return [{ path: path === '' ? 'request' : path, message: issue.message }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
