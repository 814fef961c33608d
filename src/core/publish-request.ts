import { z } from 'zod';
import { toInputProblems } from './input-problems.ts';
import { mediaSchema, webUrl } from './media-schema.ts';
import { MAX_PRIORITY } from './post-limits.ts';
import { postSchema } from './post-schema.ts';
import { PublishError } from './publish-error.ts';
import { conflictsIn } from './request-conflicts.ts';

/** The newest payload version this program writes and reads. */
const REQUEST_VERSION = 1;

/** Longest idempotency key, in UTF-16 units. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255;
const MAX_SEALED_LENGTH = 500_000;
const MAX_METADATA_BYTES = 2_048;
const MAX_ACCOUNT_LENGTH = 128;

/** Whether http will do depends on the host, which is checked where the settings are known. */
const callbackUrl = webUrl.refine((text) => !hasCredentials(text), 'expected no user and password in the URL');

/** Version 1 of a publish request: what producers send and what lies in the queue. */
export const publishRequestSchema = z
  .strictObject({
    version: z.literal(REQUEST_VERSION).optional().meta({ description: 'Version of this format. Optional.' }),
    account: z
      .string({ error: 'expected an account name' })
      .min(1, 'expected an account name')
      .max(MAX_ACCOUNT_LENGTH)
      .regex(/^[^\s{}\p{Cc}]+$/u, 'expected a name without white space and braces')
      .meta({ description: 'Name of a connected account, or its TikTok open_id.', examples: ['acme'] }),
    mode: z.enum(['direct', 'inbox'], { error: 'expected "direct" or "inbox"' }).meta({
      description: "`direct` publishes the post. `inbox` sends a draft to the creator's inbox.",
    }),
    media: mediaSchema,
    post: postSchema.optional(),
    scheduledAt: z.iso
      .datetime({ offset: true, error: 'expected an ISO 8601 time with a time zone, such as 2026-12-01T10:00:00Z' })
      .optional()
      .meta({
        description: 'Start time, with a time zone. If omitted or in the past, the job starts immediately.',
        examples: ['2026-12-01T10:00:00Z'],
      }),
    priority: z.int().min(0).max(MAX_PRIORITY).optional().meta({
      description: 'Jobs with a lower number run first. Jobs without a priority run before all others.',
    }),
    callbackUrl: callbackUrl.optional().meta({
      description: 'URL that receives the events of the job as signed POST requests (Standard Webhooks).',
      examples: ['https://app.example.com/hooks/tiktok'],
    }),
    /** What to do when the answer to a pull's init was lost: TikTok may or may not be publishing it. */
    onLostInit: z.enum(['unconfirmed', 'repeat'], { error: 'expected "unconfirmed" or "repeat"' }).optional().meta({
      description:
        "What to do when TikTok's response to the start of a pull was lost, so it is unknown whether TikTok will publish: `unconfirmed` (the default) ends the job as unconfirmed; `repeat` starts again, at the risk of a second post.",
    }),
    onDuplicate: z
      .enum(['allow', 'warn', 'refuse'], { error: 'expected "allow", "warn" or "refuse"' })
      .optional()
      .meta({
        description: 'What to do if the same video was recently published on this account.',
      }),
    sealed: z.string().max(MAX_SEALED_LENGTH).optional().meta({
      description: 'Set by the library: the secret parts of URLs, encrypted for the workers. Omit it.',
    }),
    metadata: z
      .record(z.string(), z.unknown())
      .refine((metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES, {
        error: `expected at most ${MAX_METADATA_BYTES} bytes of JSON`,
      })
      .optional()
      .meta({
        description: `Your own JSON object, returned in the job and its events; at most ${MAX_METADATA_BYTES} bytes as JSON.`,
        examples: [{ yourId: 'spring-7' }],
      }),
  })
  .superRefine((request, context) => {
    for (const { path, message } of conflictsIn(request)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  })
  .meta({
    id: 'PublishRequest',
    description: 'A request to publish one video or photo post on one TikTok account.',
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

/**
 * Parses an unknown value as a publish request.
 * @throws PublishError `INPUT_INVALID` with every problem, `INPUT_VERSION_UNSUPPORTED` for a payload of the future
 */
export function parsePublishRequest(input: unknown): PublishRequest {
  refuseOtherVersions(input);
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

function hasCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
