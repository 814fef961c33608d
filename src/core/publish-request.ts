import { z } from 'zod';
import { mediaSchema, webUrl } from './media-schema.ts';
import type { NewRequest } from './new-request.ts';
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_PHOTO_TITLE_LENGTH,
  MAX_PRIORITY,
  MAX_TITLE_LENGTH,
  PRIVACY_LEVELS,
} from './post-limits.ts';
import { type InputProblem, PublishError, toInputProblems } from './publish-error.ts';
import { refuseConflicts } from './request-conflicts.ts';
import { isTooDeep, MAX_REQUEST_DEPTH } from './request-depth.ts';

export type { NewRequest, PublishMode } from './new-request.ts';

const postSchema = z
  .strictObject({
    title: textOf(MAX_TITLE_LENGTH)
      .optional()
      .meta({
        description: `Caption, with its hashtags and mentions, each of which ends at a space or a line break; at most ${MAX_TITLE_LENGTH} UTF-16 units, for photos ${MAX_PHOTO_TITLE_LENGTH}.`,
        examples: ['Hello from our kitchen #cooking'],
      }),
    description: textOf(MAX_DESCRIPTION_LENGTH)
      .optional()
      .meta({ description: `Photos only: the long description; at most ${MAX_DESCRIPTION_LENGTH} UTF-16 units.` }),
    privacyLevel: z
      .enum(PRIVACY_LEVELS, { error: `expected one of ${PRIVACY_LEVELS.join(', ')}` })
      .optional()
      .meta({
        description:
          'Who may see the post. Required for `direct`; there is no default because the creator must choose. `GET /v1/accounts/{account}/creator` returns the levels that an account can use.',
      }),
    disableDuet: z.boolean().optional().meta({ description: 'Disable duets.' }),
    disableStitch: z.boolean().optional().meta({ description: 'Disable stitches.' }),
    disableComment: z.boolean().optional().meta({ description: 'Disable comments.' }),
    coverTimestampMs: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'The frame that becomes the cover, in milliseconds from the start of the video.' }),
    brandContent: z.boolean().optional().meta({
      description: 'Declares a paid partnership that promotes a third party. Such a post cannot be `SELF_ONLY`.',
    }),
    brandOrganic: z.boolean().optional().meta({ description: "Declares a promotion of the creator's own business." }),
    autoAddMusic: z.boolean().optional().meta({ description: 'Photos only: TikTok adds music.' }),
    aiGenerated: z.boolean().optional().meta({ description: 'Declares AI-generated content. TikTok labels the post.' }),
  })
  .meta({
    description: 'Settings of the post. The creator finishes drafts (`inbox`) in the TikTok app.',
  });

/** A text whose length counts as TikTok counts it; Zod's own `max` counts code points. */
function textOf(maxLength: number) {
  return z.string().superRefine((text, context) => {
    if (text.length <= maxLength) return;
    context.addIssue({ code: 'custom', message: `expected at most ${maxLength} UTF-16 units, got ${text.length}` });
  });
}

/** The newest payload version this program writes and reads. */
const REQUEST_VERSION = 1;

/** Longest idempotency key, in UTF-16 units. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255;

/** @throws PublishError `INPUT_INVALID` for what cannot stand for a request; undefined is no key */
export function checkIdempotencyKey(key: unknown): void {
  if (key === undefined) return;
  if (typeof key === 'string' && key.length >= 1 && key.length <= MAX_IDEMPOTENCY_KEY_LENGTH) return;
  const message = `expected a text of 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters`;
  throw new PublishError('INPUT_INVALID', { problems: [{ path: 'idempotencyKey', message }] });
}

const MAX_SEALED_LENGTH = 500_000;
const MAX_METADATA_BYTES = 2_048;
const MAX_ACCOUNT_LENGTH = 128;

/** Whether http will do depends on the host, which is checked where the settings are known. */
export const callbackUrlSchema = webUrl.refine(
  (text) => !hasCredentials(text),
  'expected no user and password in the URL',
);

/** Name of a connected account, or its open_id: they share one space. */
export const accountNameSchema = z
  .string({ error: 'expected an account name' })
  .min(1, 'expected an account name')
  .max(MAX_ACCOUNT_LENGTH)
  .regex(/^[^\s{}\p{Cc}]+$/u, 'expected a name without white space and braces');

/** Most accounts that one list names. */
export const MAX_LISTED_ACCOUNTS = 1_000;

/** The only accounts that something is limited to; left out, it is limited to none. */
export const onlyAccountsSchema = z
  .array(accountNameSchema)
  .min(1, 'expected one account or more; leave it out for all accounts')
  .max(MAX_LISTED_ACCOUNTS)
  .optional();

/** A time with a time zone, in any spelling of ISO 8601 that programs write. */
export const isoTime = z.preprocess(
  toExtendedTime,
  z.iso.datetime({
    offset: true,
    error: 'expected an ISO 8601 time with a time zone, such as 2026-12-01T10:00:00Z',
  }),
);

/** The fields of a request, each by itself. */
export const requestFields = {
  version: z.literal(REQUEST_VERSION).optional().meta({ description: 'Version of this format. Optional.' }),
  account: accountNameSchema.meta({
    description: 'Name of a connected account, or its TikTok open_id.',
    examples: ['acme'],
  }),
  mode: z.enum(['direct', 'inbox'], { error: 'expected "direct" or "inbox"' }).meta({
    description: "`direct` publishes the post. `inbox` sends a draft to the creator's inbox.",
  }),
  media: mediaSchema,
  post: postSchema.optional(),
  scheduledAt: isoTime.optional().meta({
    description:
      'Start time, with a time zone. Without it, the job starts immediately. A time more than ten minutes in the past is refused.',
    examples: ['2026-12-01T10:00:00Z'],
  }),
  notAfter: isoTime.optional().meta({
    description:
      'Latest start, with a time zone, after `scheduledAt`. A job that has not begun at TikTok by then ends `failed` with `JOB_OVERDUE` instead of going out late.',
    examples: ['2026-12-01T12:00:00Z'],
  }),
  priority: z.int().min(0).max(MAX_PRIORITY).optional().meta({
    description: 'Jobs with a lower number run first. Jobs without a priority run before all others.',
  }),
  callbackUrl: callbackUrlSchema.optional().meta({
    description: 'URL that receives the events of the job as signed POST requests (Standard Webhooks).',
    examples: ['https://app.example.com/hooks/tiktok'],
  }),
  /** What to do when the answer to a pull's init was lost: TikTok may or may not be publishing it. */
  onLostInit: z.enum(['unconfirmed', 'repeat'], { error: 'expected "unconfirmed" or "repeat"' }).optional().meta({
    description:
      "What to do when TikTok's response to the start of a pull was lost, so it is unknown whether TikTok will publish: `unconfirmed` (the default) ends the job as unconfirmed; `repeat` starts again, at the risk of a second post.",
  }),
  onDuplicate: z.enum(['allow', 'warn', 'refuse'], { error: 'expected "allow", "warn" or "refuse"' }).optional().meta({
    description: 'What to do if the same video was recently published on this account.',
  }),
  metadata: z
    .record(z.string(), z.unknown())
    .refine((metadata) => !isTooDeep(metadata), {
      error: `expected at most ${MAX_REQUEST_DEPTH} levels of objects and lists`,
      abort: true,
    })
    .refine((metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES, {
      error: `expected at most ${MAX_METADATA_BYTES} bytes of JSON`,
    })
    .optional()
    .meta({
      description: `Your own JSON object, returned in the job and its events; at most ${MAX_METADATA_BYTES} bytes as JSON.`,
      examples: [{ yourId: 'spring-7' }],
    }),
} satisfies Record<keyof NewRequest, z.ZodType>;

const newRequestSchema = z
  .strictObject(requestFields)
  .superRefine(refuseConflicts)
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

const storedRequestSchema = z
  .strictObject({ ...requestFields, sealed: z.string().max(MAX_SEALED_LENGTH).optional() })
  .superRefine(refuseConflicts);

/**
 * Version 1 of a publish request, as clients send it. The inferred type does not know what `refuseConflicts` makes sure
 * of: that a direct post has a privacy level.
 */
export const publishRequestSchema = newRequestSchema as z.ZodType<NewRequest>;

/** A request as it is stored: `sealed` holds the secret parts of its URLs, encrypted for the workers. */
export type PublishRequest = NewRequest & { readonly sealed?: string | undefined };

/**
 * Parses an unknown value as a request of a client, which is to be accepted. Stricter than what was accepted once: ids of
 * 19 digits that a JSON parser has rounded by now would be echoed wrong.
 * @throws PublishError as {@link parsePublishRequest}
 */
export function parseNewRequest(input: unknown): NewRequest {
  const inexact = isRecord(input) && !isTooDeep(input.metadata) ? inexactNumbers(input.metadata, 'metadata') : [];
  if (!isRecord(input) || inexact.length === 0) return parseAs(publishRequestSchema, input);
  const others = publishRequestSchema.safeParse({ ...input, metadata: undefined });
  const problems = [...toInputProblems(others.error?.issues ?? [], 'request'), ...inexact];
  throw new PublishError('INPUT_INVALID', { problems });
}

/**
 * Parses an unknown value as a request that may have been stored.
 * @throws PublishError `INPUT_INVALID` with every problem, `INPUT_VERSION_UNSUPPORTED` for a payload of the future
 */
export function parsePublishRequest(input: unknown): PublishRequest {
  return parseAs(storedRequestSchema as z.ZodType<PublishRequest>, input);
}

function parseAs<T>(schema: z.ZodType<T>, input: unknown): T {
  refuseOtherVersions(input);
  const result = schema.safeParse(input);
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

/**
 * The other spellings of a time that programs write, as the one that Zod takes: ISO 8601's basic format and short offsets
 * (`20261201T100000+0000`, `+00`), and a space or lower case letters (RFC 3339, section 5.6, read 2026-11-29).
 */
function toExtendedTime(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  const [, year, month, day, hour, minute, second, fraction = '', sign, hours, minutes = '00'] =
    /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/i.exec(
      given.trim(),
    ) ?? [];
  if (year === undefined) return given;
  const zone = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const part = fraction === '' ? '' : `.${fraction}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second ?? '00'}${part}${zone}`;
}

function hasCredentials(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const INEXACT =
  'expected a number that JSON keeps exactly, from -(2^53-1) to 2^53-1: write it as a text, in quotation marks';

/** An integer beyond 2^53 was rounded, whatever it was before; what JSON can't write at all is lost. */
function inexactNumbers(value: unknown, path: string): InputProblem[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, inner]) => inexactNumbers(inner, `${path}.${name}`));
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return [];
  const isExact = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return isExact ? [] : [{ path, message: INEXACT }];
}
