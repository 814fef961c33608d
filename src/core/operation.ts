import { z } from 'zod';
import type { ErrorCode } from './error-table.ts';
import { type JobFilter, type JobQuery, jobFilterSchema, type ParsedFilter, parseJobQuery } from './job-filter.ts';
import { MAX_LISTED_JOBS } from './post-limits.ts';
import { PublishError, toInputProblems } from './publish-error.ts';
import { isoTime } from './publish-request.ts';
import { ALL_PUBLISH_STATES, isTerminal, type PublishState } from './publish-state.ts';
import { DAY_MS } from './units.ts';

/** What can be done to many jobs at once. */
export const OPERATION_KINDS = ['retry', 'cancel', 'reschedule'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/**
 * What an operation does with a job. Retry: `poll` asks TikTok for the status, `resume` goes on with the upload,
 * `fresh_init` starts again. Cancel: `cancel` ends it, `ask_tiktok` asks TikTok to stop. Reschedule: `move`. In all:
 * `unchanged` where the job is already as it should be.
 */
export const OPERATION_WAYS = ['poll', 'resume', 'fresh_init', 'cancel', 'ask_tiktok', 'move', 'unchanged'] as const;
export type OperationWay = (typeof OPERATION_WAYS)[number];

/** What became of a job with which an operation dealt. */
export const OPERATION_OUTCOMES = ['changed', 'unchanged', 'refused'] as const;
export type OperationOutcome = (typeof OPERATION_OUTCOMES)[number];

/** Where an operation is. */
export const OPERATION_STATES = ['running', 'done', 'aborted'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** Most jobs that one operation changes: the oldest that its filter finds. */
export const MAX_OPERATION_JOBS = 100_000;
/** Most jobs that an operation changes in a second. */
export const MAX_OPERATION_RATE = 1_000;
/** How many it changes where nothing is said. */
export const DEFAULT_OPERATION_RATE = 100;
/** A year (ms). */
const MAX_SHIFT_MS = 366 * DAY_MS;

/** Which states an operation means whose filter names none. */
const STATES_MEANT: Readonly<Record<OperationKind, readonly PublishState[]>> = {
  retry: ['failed', 'unconfirmed'],
  cancel: ALL_PUBLISH_STATES.filter((state) => !isTerminal(state)),
  reschedule: ['scheduled', 'queued'],
};

/** The fields of a request for an operation. */
export const operationFields = {
  kind: z.enum(OPERATION_KINDS, { error: `expected one of ${OPERATION_KINDS.join(', ')}` }).meta({
    description:
      '`retry` failed and unconfirmed jobs, each in the way that cannot post twice; `cancel` jobs that have not been published; `reschedule` jobs that have not begun.',
  }),
  filter: jobFilterSchema.meta({
    description:
      'Which jobs: those that meet every condition now; at least one. Without `state`: those whose state fits the kind.',
  }),
  scheduledAt: isoTime.optional().meta({
    description: 'With `reschedule`: the new start time of all of them, with a time zone.',
    examples: ['2026-12-01T10:00:00Z'],
  }),
  shiftMs: z.int().min(-MAX_SHIFT_MS).max(MAX_SHIFT_MS).optional().meta({
    description:
      'With `reschedule`, in place of `scheduledAt`: how much later each starts, in milliseconds; negative: earlier.',
  }),
  ratePerSecond: z
    .int()
    .min(1)
    .max(MAX_OPERATION_RATE)
    .default(DEFAULT_OPERATION_RATE)
    .meta({ description: `How many jobs are changed in a second: 1 to ${MAX_OPERATION_RATE}.` }),
};

interface OperationFields {
  readonly kind: OperationKind;
  readonly filter: object;
  readonly scheduledAt?: string | undefined;
  readonly shiftMs?: number | undefined;
}

/** Refuses fields of a request that are right one by one but not together. */
export function refuseWrongOperation(
  { kind, filter, scheduledAt, shiftMs }: OperationFields,
  context: z.RefinementCtx,
) {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (!Object.values(filter).some(isCondition)) {
    issue('filter', 'expected one condition or more, such as {"state": ["failed"]}');
  }
  const times = [scheduledAt, shiftMs].filter((time) => time !== undefined).length;
  if (kind === 'reschedule' && times !== 1)
    issue('scheduledAt', 'expected either a new time or a shift, to reschedule');
  if (kind !== 'reschedule' && times > 0) {
    issue(scheduledAt === undefined ? 'shiftMs' : 'scheduledAt', `only used with "reschedule": remove it to ${kind}`);
  }
}

/** Whether a part of a filter asks for something; an empty list or object does not. */
function isCondition(part: unknown): boolean {
  return typeof part === 'object' && part !== null ? Object.keys(part).length > 0 : part !== undefined;
}

const operationSchema = z.strictObject(operationFields).superRefine(refuseWrongOperation);

/** What to do to which jobs. */
export interface OperationRequest {
  /** What to do: each job in the way that is safe, or not at all. */
  readonly kind: OperationKind;
  /** Which jobs; at least one condition. Without `state`: those whose state fits the kind. */
  readonly filter: JobFilter;
  /** With `reschedule`: the new start time of all, ISO 8601 with a time zone. */
  readonly scheduledAt?: string | undefined;
  /** With `reschedule`, in place of `scheduledAt`: how much later each starts (ms); negative: earlier. */
  readonly shiftMs?: number | undefined;
  /** How many jobs are changed in a second: 1 to 1,000; 100 by default. */
  readonly ratePerSecond?: number | undefined;
}

/** A request as it was parsed. */
export type ParsedOperation = z.output<typeof operationSchema>;

/** @throws PublishError `INPUT_INVALID` with every problem */
export function parseOperation(input: unknown): ParsedOperation {
  const result = operationSchema.safeParse(input);
  if (result.success) return result.data;
  throw new PublishError('INPUT_INVALID', { problems: toInputProblems(result.error.issues, 'operation') });
}

/** A page of jobs. */
interface OperationPage {
  /** As many as possible by default. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/**
 * The search for the jobs of an operation, oldest first: of those that were there when it was made.
 * @param madeAt ms since the epoch
 * @throws PublishError `INPUT_INVALID`
 */
export function jobsMeantBy(
  { kind, filter }: Pick<ParsedOperation, 'kind' | 'filter'>,
  madeAt: number,
  { limit = MAX_LISTED_JOBS, cursor }: OperationPage = {},
): JobQuery {
  const { createdBefore, state = STATES_MEANT[kind] } = filter;
  // The bound is exclusive.
  const bound = Math.min(
    madeAt + 1,
    createdBefore === undefined ? Number.POSITIVE_INFINITY : Date.parse(createdBefore),
  );
  return parseJobQuery({
    ...filter,
    ...{ state, createdBefore: new Date(bound).toISOString(), order: 'oldest', limit, cursor },
  });
}

/** Jobs that were refused, by why. */
export interface OperationRefusal {
  /** Stable error code, such as `JOB_NOT_RETRYABLE`. */
  readonly code: ErrorCode;
  /** Why, human-readable. */
  readonly reason: string;
}

/** What was done to jobs, or would be. */
export interface OperationTotals {
  /** How many went each way. What has none is left out. */
  readonly ways: Readonly<Partial<Record<OperationWay, number>>>;
  /** How many were refused, by why. */
  readonly refused: readonly (OperationRefusal & { readonly count: number })[];
}

/** An operation on many jobs. Times are ISO 8601. */
export interface Operation {
  /** Its id. */
  readonly id: string;
  /** What it does. */
  readonly kind: OperationKind;
  /** `running` until every job was dealt with, or somebody aborted it. */
  readonly state: OperationState;
  /** Which jobs it was made for. */
  readonly filter: ParsedFilter;
  /** With `reschedule`: the new start time; null where there is none. */
  readonly scheduledAt: string | null;
  /** With `reschedule`: how much later each starts (ms); null where there is none. */
  readonly shiftMs: number | null;
  /** How many jobs are changed in a second, at most. */
  readonly ratePerSecond: number;
  /** When it was made. */
  readonly createdAt: string;
  /** Who made it; null where nobody was named. */
  readonly by: string | null;
  /** When it ended; null while it runs. */
  readonly endedAt: string | null;
  /** Who aborted it; null if nobody did. */
  readonly abortedBy: string | null;
  /** How many jobs it is for; null until a worker has gathered them. */
  readonly jobCount: number | null;
  /** How many of them were dealt with, refused ones included. */
  readonly doneCount: number;
  /** What was done to them. */
  readonly totals: OperationTotals;
}

/** What `start` answers. */
export interface StartedOperation extends Operation {
  /** False: the idempotency key was used before, for the same; this is the operation that it started. */
  readonly created: boolean;
}

/** What an operation would do with one job. */
export interface PlannedJob {
  /** Id of the job. */
  readonly id: string;
  /** Its account. */
  readonly account: string;
  /** Its caption, video and privacy on one line, at most 60 characters; `` where nothing is known of them. */
  readonly post: string;
  /** Its state now. */
  readonly state: PublishState;
  /** How it would be changed; null: not at all. */
  readonly way: OperationWay | null;
  /** Why it would be refused; null: it would not. */
  readonly refusal: OperationRefusal | null;
}

/** What an operation would do. */
export interface OperationPreview {
  /** How many jobs it is for; null on a later page. */
  readonly jobCount: number | null;
  /** What would be done to all of them; null on a later page. */
  readonly totals: OperationTotals | null;
  /** A page of them, oldest first. */
  readonly jobs: readonly PlannedJob[];
  /** `cursor` of the next page; null on the last one. */
  readonly nextCursor: string | null;
}
