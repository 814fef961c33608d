import { ERROR_TABLE, type ErrorCode } from './error-table.ts';
import { exposureOf, mightBePublished } from './exposure.ts';
import { isPulledVideo } from './media-route.ts';
import type { InterruptedJob, Plan, PlanContext, StatusSaid, Trouble } from './plan.ts';
import { PublishError } from './publish-error.ts';
import type { WaitReason } from './publish-state.ts';
import { refusedUntil } from './retry-after.ts';
import { nextRetry } from './retry-policy.ts';
import { Deferral, Handback } from './step-interrupt.ts';

/** More new inits than this for one job mean that it cannot succeed as it is. */
const MAX_RESTARTS = 5;
/** Fewer where TikTok had every byte of a valid video: the cause is TikTok's, and another copy rarely fares better. */
const MAX_RESTARTS_FOR: Partial<Record<ErrorCode, number>> = { TIKTOK_PROCESSING_INTERNAL: 2 };

/** Attempts for a publish_id that TikTok does not know: it knows a new one only after a while. */
const UNKNOWN_ID_ATTEMPTS = 4;

/**
 * Decides what follows when a step of a job is interrupted: the one place that does. Two rules stand above all others.
 * No plan begins a new session while the present one may still appear on TikTok, and no plan ends a job `failed` while
 * nobody knows whether it was published. ARCHITECTURE.md shows the table.
 *
 * @param said the answer to an `ask_status` plan for the same trouble
 */
export function planAfterError(job: InterruptedJob, trouble: Trouble, context: PlanContext, said?: StatusSaid): Plan {
  if (trouble instanceof PublishError && trouble.row.verdict === 'superseded') return { kind: 'superseded' };
  if (context.step !== 'publish') return planAfterAsking(job, trouble, context);
  if (exposureOf(job) === 'init_in_doubt') return { kind: 'end', to: 'unconfirmed', error: lostInit(trouble) };
  if (trouble instanceof Handback) return { kind: 'hand_back' };
  if (trouble instanceof Deferral) return waitFor(job, trouble, context, said);
  if (trouble.details.publishFailed === true) return planAfterFailed(job, trouble, context);
  switch (trouble.row.verdict) {
    case 'give_up':
      return giveUp(job, trouble, said);
    case 'unconfirmed':
      return { kind: 'end', to: 'unconfirmed', error: trouble };
    case 'wait':
      return waitFor(job, trouble, context, said);
    case 'retry':
      return isForgotten(job, trouble) ? startOver(job, trouble, context) : retryLater(job, trouble, context, said);
    case 'refresh_token':
      // The next start fetches a new token, which needs no backoff.
      return retryLater(job, trouble, { ...context, random: () => 0 }, said);
    case 'ask_status':
    case 'resync_offset':
      return goOnFromStatus(job, trouble, context, said);
    case 'new_init':
      return replaceSession(job, trouble, context, said);
    case 'superseded':
      return { kind: 'superseded' };
  }
}

/** TikTok may have the post: an error of the status query delays the outcome and changes nothing else. */
function planAfterAsking(job: InterruptedJob, trouble: Trouble, context: PlanContext): Plan {
  const { step, now } = context;
  if (trouble instanceof Handback) return { kind: 'hand_back' };
  if (trouble instanceof Deferral) {
    const { waitReason: reason, until, bookedSlot } = trouble;
    return { kind: 'wait', reason, until, bookedSlot };
  }
  const askLater: Plan = { kind: 'ask_later', notBeforeAt: refusedUntil(trouble, context.now), error: trouble };
  if (step === 'recheck') return askLater;
  if (trouble.details.publishFailed === true) return planAfterFailed(job, trouble, context);
  if (now - (job.processingSince ?? now) < context.outcomeWithinMs) return askLater;
  const reason = `the status could not be read: ${trouble.message}`;
  const error = trouble.row.verdict === 'unconfirmed' ? trouble : new PublishError('TIKTOK_NO_OUTCOME', { reason });
  return { kind: 'end', to: 'unconfirmed', error };
}

/** TikTok itself says that it published nothing. */
function planAfterFailed(job: InterruptedJob, error: PublishError, context: PlanContext): Plan {
  const { gaveUpFor, request, fellBackAt, pullStalledAt } = job;
  const { media } = request;
  const isNewInit = error.row.verdict === 'new_init';
  const wasCancelled = error.code === 'TIKTOK_PUBLISH_CANCELLED';
  if (gaveUpFor !== undefined && mayHaveLaterSession(job)) {
    return { kind: 'end', to: 'unconfirmed', error: new PublishError(gaveUpFor.code, { reason: gaveUpFor.message }) };
  }
  if (job.cancelRequestedAt !== undefined && (wasCancelled || isNewInit)) return { kind: 'end', to: 'cancelled' };
  if (gaveUpFor !== undefined) {
    const { code, message } = gaveUpFor;
    return { kind: 'end', to: 'failed', error: new PublishError(code, { ...error.details, reason: message }) };
  }
  const wasStopped = wasCancelled && pullStalledAt !== undefined;
  const mayFallBack = isPulledVideo(media) && media.fallback === 'upload' && fellBackAt === undefined;
  if (mayFallBack && (wasStopped || error.code === 'TIKTOK_PULL_FAILED')) {
    return { kind: 'start_over', at: context.now, attempts: 0, error, fallsBack: true };
  }
  if (wasStopped) {
    const reason = `TikTok's download stalled at ${job.pullBytes ?? 0} bytes and was cancelled`;
    return { kind: 'end', to: 'failed', error: new PublishError('TIKTOK_PULL_STALLED', { ...error.details, reason }) };
  }
  return isNewInit ? startOver(job, error, context) : { kind: 'end', to: 'failed', error };
}

/**
 * Whether a publish_id that nobody knows of may have published, as after a ledger was restored: then it says nothing of
 * the post that the known publish_id failed.
 */
export function mayHaveLaterSession({ gaveUpFor }: Pick<InterruptedJob, 'gaveUpFor'>): boolean {
  return gaveUpFor !== undefined && ERROR_TABLE[gaveUpFor.code].verdict === 'unconfirmed';
}

/** Fails a job, unless TikTok may still publish it: a `failed` post that appears invites people to post twice. */
function giveUp(job: InterruptedJob, error: PublishError, said: StatusSaid | undefined): Plan {
  if (exposureOf(job) !== 'may_appear') return { kind: 'end', to: 'failed', error };
  if (said === undefined) return { kind: 'ask_status' };
  if (said.kind === 'lacks_bytes' || said.kind === 'failed') return { kind: 'end', to: 'failed', error };
  return { kind: 'follow', error, gaveUp: true, isUploaded: said.kind === 'has_everything' };
}

function waitFor(
  job: InterruptedJob,
  trouble: PublishError | Deferral,
  context: PlanContext,
  said: StatusSaid | undefined,
): Plan {
  const isDeferral = trouble instanceof Deferral;
  const reason = isDeferral ? trouble.waitReason : (trouble.row.waitReason ?? 'rate_limit');
  const wantedAt = isDeferral ? trouble.until : (context.capFreesAt ?? refusedUntil(trouble, context.now));
  const endsAt = waitEndsAt(job, context.maxWaitMs);
  // Places within the app's cap may become free earlier than our own count says, so that alone ends no job.
  const until = reason === 'active_user_cap' && context.now < endsAt ? Math.min(wantedAt, endsAt) : wantedAt;
  if (until > endsAt) {
    return giveUp(job, isDeferral ? new PublishError(WAITED_TOO_LONG[reason]) : trouble, said);
  }
  return isDeferral
    ? { kind: 'wait', reason, until, bookedSlot: trouble.bookedSlot }
    : { kind: 'wait', reason, until, error: trouble };
}

/**
 * Whether a job that waits has waited for too long, and how it then ends.
 * @returns undefined while it may wait on, or where only TikTok's status may end it
 */
export function planAfterWaiting(
  job: InterruptedJob & { readonly waitingFor?: WaitReason | undefined },
  { now, maxWaitMs }: Pick<PlanContext, 'now' | 'maxWaitMs'>,
): { readonly to: 'failed'; readonly error: PublishError } | undefined {
  const { waitingFor } = job;
  if (waitingFor === undefined || mightBePublished(exposureOf(job)) || now <= waitEndsAt(job, maxWaitMs))
    return undefined;
  return { to: 'failed', error: new PublishError(WAITED_TOO_LONG[waitingFor]) };
}

/** TikTok lacks bytes, which it has to be asked about, and knows the publish_id no more: so nothing comes of the session. */
function isForgotten(job: InterruptedJob, error: PublishError): boolean {
  const isUnknown = error.code === 'TIKTOK_PUBLISH_ID_UNKNOWN' && exposureOf(job) === 'open';
  return isUnknown && job.attempts >= UNKNOWN_ID_ATTEMPTS;
}

/** The last attempt gives the job up with this error. */
function retryLater(
  job: InterruptedJob,
  error: PublishError,
  context: PlanContext,
  said: StatusSaid | undefined,
): Plan {
  const next = nextTry(job, error, context);
  return next === undefined ? giveUp(job, error, said) : { kind: 'retry', ...next, error };
}

function nextTry(job: InterruptedJob, error: PublishError, { now, random, retryPolicy }: PlanContext) {
  const attempts = job.attempts + 1;
  const next = nextRetry(attempts, { random, retryAfterMs: error.details.retryAfterMs }, retryPolicy);
  return next.kind === 'give_up' ? undefined : { at: now + next.delayMs, attempts };
}

/** TikTok knows how far the upload is; the next start asks and goes on from there. */
function goOnFromStatus(
  job: InterruptedJob,
  error: PublishError,
  context: PlanContext,
  said: StatusSaid | undefined,
): Plan {
  if (exposureOf(job) === 'none') return retryLater(job, error, context, said);
  if (said === undefined) return { kind: 'ask_status' };
  if (said.kind === 'has_everything') return { kind: 'follow', error, gaveUp: false, isUploaded: true };
  // A status call that has to wait its turn says nothing of this error, which burns its attempt.
  const isSilent = said.kind === 'no_answer' && said.trouble instanceof Deferral;
  const otherwise = isSilent ? undefined : planAfterSilence(job, context, said);
  return otherwise ?? retryLater(job, error, context, said);
}

/** The session is said to be dead. It is replaced if TikTok's status shows that it published nothing. */
function replaceSession(
  job: InterruptedJob,
  error: PublishError,
  context: PlanContext,
  said: StatusSaid | undefined,
): Plan {
  const exposure = exposureOf(job);
  if (exposure === 'none') return retryLater(job, error, context, said);
  if (said === undefined) return { kind: 'ask_status' };
  if (said.kind === 'lacks_bytes') return startOver(job, error, context);
  if (said.kind === 'has_everything') return { kind: 'follow', error, gaveUp: false, isUploaded: true };
  const otherwise = planAfterSilence(job, context, said);
  if (otherwise !== undefined) return otherwise;
  return exposure === 'may_appear'
    ? { kind: 'follow', error, gaveUp: false, isUploaded: false }
    : startOver(job, error, context);
}

/** What follows when the status brought no position. */
function planAfterSilence(job: InterruptedJob, context: PlanContext, said: StatusSaid): Plan | undefined {
  if (said.kind === 'failed') return planAfterFailed(job, said.error, context);
  if (said.kind === 'no_answer') return planAfterError(job, said.trouble, context, { kind: 'nothing' });
  return undefined;
}

/** Replaces a publish_id that will publish nothing. */
function startOver(job: InterruptedJob, error: PublishError, context: PlanContext): Plan {
  const { restartedFor = [] } = job;
  const sameCount = restartedFor.filter((code) => code === error.code).length;
  const isSpent = restartedFor.length >= MAX_RESTARTS || sameCount >= (MAX_RESTARTS_FOR[error.code] ?? MAX_RESTARTS);
  const next = isSpent ? undefined : nextTry(job, error, context);
  if (next === undefined) return { kind: 'end', to: 'failed', error };
  return { kind: 'start_over', ...next, error, fallsBack: false };
}

/** The init that alone makes the post was sent and its answer is unknown: repeating it could post twice. */
function lostInit(trouble: Trouble): PublishError {
  if (trouble instanceof PublishError && trouble.row.verdict === 'unconfirmed') return trouble;
  const cause = trouble instanceof PublishError ? trouble : new PublishError('TRANSPORT_NO_ANSWER');
  const reason = `the response to the init was lost: ${cause.message}`;
  return new PublishError('TIKTOK_LOST_INIT', { ...cause.details, reason }, { cause });
}

/** The error of a job that waited too long, by what it waited for. */
const WAITED_TOO_LONG = {
  turn: 'TIKTOK_RATE_LIMITED',
  rate_limit: 'TIKTOK_RATE_LIMITED',
  daily_cap: 'TIKTOK_DAILY_POST_CAP',
  pending_share_cap: 'TIKTOK_PENDING_SHARE_CAP',
  active_user_cap: 'TIKTOK_ACTIVE_USER_CAP',
  account_paused: 'AUTH_ACCOUNT_PAUSED',
  reauthorization: 'AUTH_REAUTHORIZATION_REQUIRED',
  replication: 'REDIS_NOT_REPLICATED',
  publishing_paused: 'CONFIG_PUBLISHING_PAUSED',
} as const satisfies Record<WaitReason, ErrorCode>;

/** Until when a job may wait. It counts from its creation, its scheduled time or its last retry (ms since the epoch). */
export function waitEndsAt(
  job: {
    readonly createdAt: number;
    readonly scheduledAt?: number | undefined;
    readonly retriedAt?: number | undefined;
  },
  maxWaitMs: number,
): number {
  return Math.max(job.createdAt, job.scheduledAt ?? 0, job.retriedAt ?? 0) + maxWaitMs;
}
