import { z } from 'zod';
import { toInputProblems } from './input-problems.ts';
import { PublishError } from './publish-error.ts';

/** The newest payload version this program writes and reads. */
export const REQUEST_VERSION = 1;

/** Longest caption of a video, in UTF-16 units, that is JavaScript's `length` (content-posting-api-reference-direct-post). */
export const MAX_TITLE_LENGTH = 2_200;
/** Longest idempotency key, in UTF-16 units. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255;
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

/** Whether http will do depends on the host, which is checked where the settings are known. */
const callbackUrl = z
  .url({ protocol: /^https?$/, error: 'expected an https:// URL' })
  .refine((text) => !hasCredentials(text), 'expected no user and password in the URL');

const fileMediaSchema = z
  .strictObject({
    type: z.literal('file'),
    path: z
      .string()
      .min(1, 'expected the path of a video file')
      .meta({
        description: 'Path of an MP4, MOV or WebM file, as the worker sees it.',
        examples: ['/srv/media/spring.mp4'],
      }),
  })
  .meta({ title: 'file', description: 'A video on a disk that the worker can read; it is uploaded in chunks.' });

const pullMediaSchema = z
  .strictObject({
    type: z.literal('pull'),
    url: z.url({ protocol: /^https?$/, error: 'expected an https:// URL' }).meta({
      description: 'Address of the video, on a domain or URL prefix verified for your TikTok app.',
      examples: ['https://media.example.com/spring.mp4'],
    }),
  })
  .meta({ title: 'pull', description: 'A video that TikTok itself fetches; none of its bytes pass through here.' });

const mediaSchema = z
  .discriminatedUnion('type', [fileMediaSchema, pullMediaSchema], { error: 'expected media.type "file" or "pull"' })
  .meta({ description: 'Where the video comes from.' });

const postSchema = z
  .strictObject({
    title: z
      .string()
      .refine((title) => title.length <= MAX_TITLE_LENGTH, {
        error: (issue) =>
          `expected at most ${MAX_TITLE_LENGTH} UTF-16 units, got ${typeof issue.input === 'string' ? issue.input.length : 'none'}`,
      })
      .optional()
      .meta({
        description: `Caption, with its hashtags and mentions; at most ${MAX_TITLE_LENGTH} UTF-16 units.`,
        examples: ['Hello from our kitchen #cooking'],
      }),
    privacyLevel: z
      .enum(PRIVACY_LEVELS, { error: `expected one of ${PRIVACY_LEVELS.join(', ')}` })
      .optional()
      .meta({
        description:
          'Who may see the post. Required for `direct`, without a default: the creator has to choose. What an account may choose is told by `GET /v1/accounts/{account}/creator`.',
      }),
    disableDuet: z.boolean().optional().meta({ description: 'Forbid duets.' }),
    disableStitch: z.boolean().optional().meta({ description: 'Forbid stitches.' }),
    disableComment: z.boolean().optional().meta({ description: 'Forbid comments.' }),
    coverTimestampMs: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'The frame that becomes the cover, in milliseconds from the start of the video.' }),
    brandContent: z.boolean().optional().meta({
      description: 'It is a paid partnership that promotes a third party. Such a post cannot be `SELF_ONLY`.',
    }),
    brandOrganic: z.boolean().optional().meta({ description: "It promotes the creator's own business." }),
    aiGenerated: z.boolean().optional().meta({ description: 'It was made by AI; TikTok labels it so.' }),
  })
  .meta({
    description: 'How the post looks and who sees it. Drafts (`inbox`) are finished by the creator in the app.',
  });

/** Version 1 of a publish request: what producers send and what lies in the queue. */
export const publishRequestSchema = z
  .strictObject({
    version: z.literal(REQUEST_VERSION).optional().meta({ description: 'Version of this format; may be left out.' }),
    account: z
      .string({ error: 'expected the name of an account' })
      .min(1, 'expected the name of an account')
      .max(MAX_ACCOUNT_LENGTH)
      .regex(/^[^\s{}\p{Cc}]+$/u, 'expected a name without white space and braces')
      .meta({ description: 'Name of a connected account, or its TikTok open_id.', examples: ['acme'] }),
    mode: z.enum(['direct', 'inbox'], { error: 'expected "direct" or "inbox"' }).meta({
      description: "`direct` publishes the post. `inbox` puts a draft into the creator's inbox.",
    }),
    media: mediaSchema,
    post: postSchema.optional(),
    scheduledAt: z.iso
      .datetime({ offset: true, error: 'expected an ISO 8601 time with a zone, such as 2026-12-01T10:00:00Z' })
      .optional()
      .meta({
        description: 'When to begin, with a zone. At once if left out or past.',
        examples: ['2026-12-01T10:00:00Z'],
      }),
    priority: z.int().min(0).max(MAX_PRIORITY).optional().meta({
      description: 'Jobs with a lower number go first, those without one before all others.',
    }),
    callbackUrl: callbackUrl.optional().meta({
      description: 'Gets the events of the job as signed POST requests (Standard Webhooks).',
      examples: ['https://app.example.com/hooks/tiktok'],
    }),
    /** What to do when the answer to a pull's init was lost: TikTok may or may not be publishing it. */
    onLostInit: z.enum(['unconfirmed', 'repeat'], { error: 'expected "unconfirmed" or "repeat"' }).optional().meta({
      description:
        "What to do when TikTok's answer to the start of a pull was lost, so that nobody knows whether it publishes: leave the job `unconfirmed` (the default), or `repeat` at the risk of a second post.",
    }),
    metadata: z
      .record(z.string(), z.unknown())
      .refine((metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES, {
        error: `expected at most ${MAX_METADATA_BYTES} bytes of JSON`,
      })
      .optional()
      .meta({
        description: `Anything of yours, echoed in the job and its events; at most ${MAX_METADATA_BYTES} bytes as JSON.`,
        examples: [{ yourId: 'spring-7' }],
      }),
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
  })
  .meta({
    id: 'PublishRequest',
    description: 'One request to put one video on one TikTok account.',
    examples: [
      {
        account: 'acme',
        mode: 'direct',
        media: { type: 'file', path: '/srv/media/spring.mp4' },
        post: { title: 'Hello from our kitchen #cooking', privacyLevel: 'SELF_ONLY' },
      },
    ],
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
  throw new PublishError('INPUT_INVALID', { problems: toInputProblems(result.error.issues, 'request') });
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

function hasCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
