import { z } from 'zod';
import { type InputProblem, PublishError } from './publish-error.ts';

/** The newest payload version this program writes and reads. */
export const REQUEST_VERSION = 1;

/** Longest caption of a video, in UTF-16 units, that is JavaScript's `length` (content-posting-api-reference-direct-post). */
export const MAX_TITLE_LENGTH = 2_200;
const MAX_METADATA_BYTES = 2_048;
const MAX_ACCOUNT_LENGTH = 128;
/** BullMQ's own bound, 2^21 - 1. */
const MAX_PRIORITY = 2_097_151;

/** Who may see the post (content-posting-api-reference-direct-post). */
export const PRIVACY_LEVELS = [
  'PUBLIC_TO_EVERYONE',
  'MUTUAL_FOLLOW_FRIENDS',
  'FOLLOWER_OF_CREATOR',
  'SELF_ONLY',
] as const;

const httpsUrl = z.url({ protocol: /^https$/, error: 'expected an https:// URL' });

const mediaSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('file'), path: z.string().min(1, 'expected the path of a video file') }),
    z.strictObject({
      type: z.literal('pull'),
      url: z.url({ protocol: /^https?$/, error: 'expected an https:// URL' }),
    }),
  ],
  { error: 'expected media.type "file" or "pull"' },
);

const postSchema = z.strictObject({
  title: z
    .string()
    .refine((title) => title.length <= MAX_TITLE_LENGTH, {
      error: (issue) =>
        `expected at most ${MAX_TITLE_LENGTH} UTF-16 units, got ${typeof issue.input === 'string' ? issue.input.length : 'none'}`,
    })
    .optional(),
  privacyLevel: z.enum(PRIVACY_LEVELS, { error: `expected one of ${PRIVACY_LEVELS.join(', ')}` }).optional(),
  disableDuet: z.boolean().optional(),
  disableStitch: z.boolean().optional(),
  disableComment: z.boolean().optional(),
  coverTimestampMs: z.int().nonnegative().optional(),
  brandContent: z.boolean().optional(),
  brandOrganic: z.boolean().optional(),
  aiGenerated: z.boolean().optional(),
});

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
    metadata: z
      .record(z.string(), z.unknown())
      .refine((metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES, {
        error: `expected at most ${MAX_METADATA_BYTES} bytes of JSON`,
      })
      .optional(),
  })
  .superRefine((request, context) => {
    if (request.mode === 'direct' && request.post?.privacyLevel === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['post', 'privacyLevel'],
        message: `required for mode "direct": choose one of ${PRIVACY_LEVELS.join(', ')}`,
      });
    }
    if (request.post?.brandContent === true && request.post.privacyLevel === 'SELF_ONLY') {
      context.addIssue({
        code: 'custom',
        path: ['post', 'privacyLevel'],
        message: 'branded content cannot be SELF_ONLY: choose another privacy level or drop brandContent',
      });
    }
  });

export type PublishRequest = z.infer<typeof publishRequestSchema>;
export type PublishMode = PublishRequest['mode'];
export type MediaType = PublishRequest['media']['type'];

/** Media types of the public contract that this version does not serve yet. */
const MEDIA_TYPES_TO_COME = ['url', 's3', 'photos'];

/**
 * Parses an unknown value as a publish request.
 * @throws PublishError `INPUT_INVALID` with every problem, `INPUT_VERSION_UNSUPPORTED` for a payload of the future,
 * `INPUT_MEDIA_TYPE_UNSUPPORTED` for a media type this version does not serve
 */
export function parsePublishRequest(input: unknown): PublishRequest {
  refuseOtherVersions(input);
  refuseMediaTypesToCome(input);
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

function refuseMediaTypesToCome(input: unknown): void {
  if (!isRecord(input) || !isRecord(input.media)) return;
  const type = input.media.type;
  if (typeof type !== 'string' || !MEDIA_TYPES_TO_COME.includes(type)) return;
  throw new PublishError('INPUT_MEDIA_TYPE_UNSUPPORTED', {
    reason: `media.type: "${type}" is not served by this version; use "file" or "pull"`,
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
