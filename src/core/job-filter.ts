import { z } from 'zod';
import { ALL_ERROR_CODES, type ErrorCode } from './error-table.ts';
import { DEFAULT_LISTED_JOBS, MAX_LISTED_JOBS } from './post-limits.ts';
import { PublishError, toInputProblems } from './publish-error.ts';
import type { PublishJob } from './publish-job.ts';
import { accountNameSchema, isoTime, MAX_IDEMPOTENCY_KEY_LENGTH, MAX_LISTED_ACCOUNTS } from './publish-request.ts';
import { ALL_PUBLISH_STATES, type PublishState, WAIT_REASONS, type WaitReason } from './publish-state.ts';

/** Where a video or photos come from: `media.type` of the request. */
export const MEDIA_TYPES = ['file', 'url', 's3', 'pull', 'photos'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

/** A search asks for each value of a list once: its work grows with their number. */
const withoutRepeats = (given: unknown): unknown => (Array.isArray(given) ? [...new Set(given)] : given);

/** One value, or several of which any will do; as text, separated by commas. */
function anyOf<const T extends string>(values: readonly T[], meaning: string) {
  const names =
    values.length > 12 ? `a name from the documentation, such as ${values[0]}` : `one of ${values.join(', ')}`;
  const error = `expected ${names}; several are separated by commas`;
  return z
    .preprocess((given, { issues }) => {
      if (typeof given !== 'string') return withoutRepeats(given);
      const parts = given.split(',');
      // Callers know the parameter, not the places of its parts.
      const areKnown = parts.every((part) => values.some((value) => value === part));
      if (!areKnown) issues.push({ code: 'custom', message: error, input: given });
      return withoutRepeats(parts);
    }, z.array(z.enum(values, { error })).min(1, error).readonly())
    .optional()
    .meta({ description: `${meaning} Several are separated by commas.`, explode: false });
}

const time = (meaning: string) => isoTime.optional().meta({ description: meaning, examples: ['2026-12-01T10:00:00Z'] });

const text = (length: number, meaning: string) =>
  z.string().min(1).max(length).optional().meta({ description: meaning });

const filterFields = {
  account: z
    .preprocess(
      (given) => (typeof given === 'string' ? [given] : withoutRepeats(given)),
      z
        .array(accountNameSchema)
        .max(MAX_LISTED_ACCOUNTS, `expected at most ${MAX_LISTED_ACCOUNTS} accounts`)
        .readonly(),
    )
    .optional()
    .meta({ description: 'Jobs of this account, by its own name; may be given several times.' }),
  state: anyOf(ALL_PUBLISH_STATES, 'Jobs in this state.'),
  code: anyOf(ALL_ERROR_CODES, 'Jobs that failed or are unconfirmed with this error code.'),
  waitingFor: anyOf(WAIT_REASONS, 'Jobs that wait for this.'),
  media: anyOf(MEDIA_TYPES, 'Jobs with this `media.type`.'),
  createdFrom: time('Jobs accepted at this time or later.'),
  createdBefore: time('Jobs accepted before this time.'),
  endedFrom: time('Jobs that ended at this time or later.'),
  endedBefore: time('Jobs that ended before this time.'),
  scheduledFrom: time('Jobs whose requested start is at this time or later.'),
  scheduledBefore: time('Jobs whose requested start is before this time.'),
  metadata: z
    .record(z.string().min(1), z.coerce.string<string | number | boolean>())
    .optional()
    .meta({
      description:
        'Jobs whose metadata has these values, by keys that `METADATA_INDEX` names; numbers, true and false as text. In a query: `metadata.<key>=<value>`.',
      ...{ style: 'deepObject', explode: true },
      examples: [{ campaign: 'spring' }],
    }),
  idempotencyKey: text(MAX_IDEMPOTENCY_KEY_LENGTH, 'The job that was enqueued under this key.'),
  publishId: text(255, "The job with this publish_id of TikTok's."),
  postId: text(255, 'The job that became this TikTok post.'),
} satisfies Record<keyof JobFilter, z.ZodType>;

/** Which jobs: those that meet every condition given. The same in the library, REST and the command line. */
export const jobFilterSchema = z.strictObject(filterFields).meta({
  id: 'JobFilter',
  description: 'Which jobs: those that meet every condition given; without any, all.',
  examples: [{ state: ['failed'], code: ['INPUT_MEDIA_NOT_FOUND'], account: 'acme' }],
});

/** A filter, and which page of what it finds. */
export const jobQuerySchema = z.strictObject({
  ...filterFields,
  order: z
    .enum(['newest', 'oldest'], { error: 'expected "newest" or "oldest"' })
    .default('newest')
    .meta({ description: 'By when the jobs were accepted: newest or oldest first.' }),
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1, `expected a whole number from 1 to ${MAX_LISTED_JOBS}`)
    .max(MAX_LISTED_JOBS, `expected a whole number from 1 to ${MAX_LISTED_JOBS}`)
    .default(DEFAULT_LISTED_JOBS)
    .meta({ description: 'Maximum number of jobs on a page.' }),
  cursor: z.string().max(1_000).optional().meta({ description: '`nextCursor` of the previous page.' }),
});

type OneOrMore<T> = T | readonly T[];

/** Which jobs: those that meet every condition given; without any, all. Times are ISO 8601 with a time zone. */
export interface JobFilter {
  /** Jobs of this account, or of these, by their own names. */
  readonly account?: OneOrMore<string> | undefined;
  /** Jobs in one of these states. */
  readonly state?: OneOrMore<PublishState> | undefined;
  /** Jobs that failed or are unconfirmed with one of these error codes. */
  readonly code?: OneOrMore<ErrorCode> | undefined;
  /** Jobs that wait for one of these. */
  readonly waitingFor?: OneOrMore<WaitReason> | undefined;
  /** Jobs with one of these as `media.type`. */
  readonly media?: OneOrMore<MediaType> | undefined;
  /** Jobs accepted at this time or later. */
  readonly createdFrom?: string | undefined;
  /** Jobs accepted before this time. */
  readonly createdBefore?: string | undefined;
  /** Jobs that ended at this time or later. */
  readonly endedFrom?: string | undefined;
  /** Jobs that ended before this time. */
  readonly endedBefore?: string | undefined;
  /** Jobs whose requested start is at this time or later. */
  readonly scheduledFrom?: string | undefined;
  /** Jobs whose requested start is before this time. */
  readonly scheduledBefore?: string | undefined;
  /** Jobs whose metadata has these values, by keys that the setting `METADATA_INDEX` names. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** The job that was enqueued under this key. */
  readonly idempotencyKey?: string | undefined;
  /** The job with this publish_id of TikTok's. */
  readonly publishId?: string | undefined;
  /** The job that became this TikTok post. */
  readonly postId?: string | undefined;
}

/** A filter as it was parsed: lists where several values are possible. */
export type ParsedFilter = z.output<typeof jobFilterSchema>;
/** A query as it was parsed. */
export type JobQuery = z.output<typeof jobQuerySchema>;

/** @throws PublishError `INPUT_INVALID` with every problem */
export function parseJobQuery(input: unknown): JobQuery {
  return parse(jobQuerySchema, input);
}

/** @throws PublishError `INPUT_INVALID` with every problem */
export function parseJobFilter(input: unknown): ParsedFilter {
  return parse(jobFilterSchema, input);
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new PublishError('INPUT_INVALID', {
    reason: 'the filter is not valid',
    problems: toInputProblems(result.error.issues, 'filter'),
  });
}

/** Instants of a half-open range (ms since the epoch). */
export interface TimeRange {
  readonly from: number;
  readonly before: number;
}

/** @returns undefined where the filter asks for no such time */
export function timeRange(from: string | undefined, before: string | undefined): TimeRange | undefined {
  if (from === undefined && before === undefined) return undefined;
  return {
    from: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    before: before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before),
  };
}

/** A value of metadata as it is searched for; undefined for one that can't be: lists, objects, null. */
export function metadataText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Whether a job is one that a filter asks for. */
export function matchesFilter(job: PublishJob, filter: ParsedFilter): boolean {
  const has = <T>(wanted: readonly T[] | undefined, is: T | null | undefined) =>
    wanted === undefined || (is != null && wanted.includes(is));
  const only = (wanted: string | undefined, is: string | null) => wanted === undefined || wanted === is;
  return (
    has(filter.account, job.account) &&
    has(filter.state, job.state) &&
    has(filter.code, job.failure?.code) &&
    has(filter.waitingFor, job.waitingFor) &&
    has(filter.media, job.request.media.type) &&
    isWithin(job.createdAt, timeRange(filter.createdFrom, filter.createdBefore)) &&
    isWithin(job.endedAt, timeRange(filter.endedFrom, filter.endedBefore)) &&
    isWithin(job.scheduledAt, timeRange(filter.scheduledFrom, filter.scheduledBefore)) &&
    Object.entries(filter.metadata ?? {}).every(([key, value]) => metadataText(job.metadata?.[key]) === value) &&
    only(filter.publishId, job.publishId) &&
    (filter.postId === undefined || job.postIds.includes(filter.postId))
  );
}

function isWithin(time: string | null, range: TimeRange | undefined): boolean {
  if (range === undefined) return true;
  if (time === null) return false;
  const at = Date.parse(time);
  return at >= range.from && at < range.before;
}
