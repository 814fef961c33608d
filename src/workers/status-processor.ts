import { publishEntryOf } from '../core/job-reference.ts';
import { isPastDeadline } from '../core/poll-schedule.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import type { PublishFailure } from '../core/publish-job.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { MINUTE_MS } from '../core/units.ts';
import { SWEEP_AFTER_MS } from '../ledger/ledger.ts';
import type { LedgerProgress, LedgerRecord } from '../ledger/record.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import { withToken } from '../tiktok/with-token.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, hasEnded, settlementOf, toResult } from './end-job.ts';
import { ensureEntry } from './ensure-entry.ts';
import { OwnedJob } from './owned-job.ts';
import { doubtWebhooksIfUntold, planPoll, wakeIfToldMeanwhile } from './plan-poll.ts';
import { startAfresh } from './reinit.ts';
import { Deferral, type Settlement } from './settlement.ts';
import { claimStatusEntry, type StatusQueueEntry } from './status-entry.ts';
import { inSpan } from './step-span.ts';
import { askStatus } from './tiktok-calls.ts';
import { failureOf } from './upload-position.ts';
import { pushSlots } from './wait-for-quota.ts';
import { endWatchedJob } from './watch-ended-job.ts';
import { settleDeadPull, watchPull } from './watch-pull.ts';

/** Asks once what became of a post, and says when to ask again. */
export async function processStatusEntry(entry: StatusQueueEntry, deps: WorkerDeps): Promise<Settlement> {
  const job = await claimStatusEntry(entry, deps);
  if (!(job instanceof OwnedJob)) return job;
  try {
    return await inSpan('poll', job.record, deps, async () => await poll(job, deps));
  } catch (thrown) {
    return await settlePollError(job, thrown, deps);
  }
}

async function poll(job: OwnedJob, deps: WorkerDeps): Promise<Settlement> {
  const { record } = job;
  if (hasEnded(record)) return settlementOf(record);
  if (record.state !== 'processing') {
    // It began afresh; whoever decided that may have died before the publish queue had it.
    await ensureEntry(record, deps);
    return { kind: 'done', result: toResult(record) };
  }
  if (record.cancelRequestedAt !== undefined) await askToCancel(job, deps);
  const askedAt = deps.clock.now();
  const answer = await askStatus(job, deps);
  measureLag(record, askedAt, deps);
  deps.metrics.statusPolled(answer.rawStatus);
  if (isOutcome(answer)) await doubtWebhooksIfUntold(record, deps);
  switch (answer.status) {
    case 'PUBLISH_COMPLETE':
      return await endWatchedJob(
        job,
        { to: 'published', postIds: answer.postIds, tiktokStatus: answer.rawStatus },
        deps,
      );
    case 'SEND_TO_USER_INBOX':
      return await endWatchedJob(job, { to: 'in_inbox', tiktokStatus: answer.rawStatus }, deps);
    case 'FAILED':
      return await settleFailed(job, answer, deps);
    default:
      return await pollAgain(job, undefined, deps, await watchPull(job, answer, deps));
  }
}

/** One that was woken ahead of its time is not late. */
function measureLag({ nextPollAt }: LedgerRecord, askedAt: number, { metrics }: WorkerDeps): void {
  const lagMs = askedAt - (nextPollAt ?? Number.POSITIVE_INFINITY);
  if (lagMs >= 0) metrics.pollLag(lagMs);
}

function isOutcome({ status }: StatusAnswer): boolean {
  return status === 'PUBLISH_COMPLETE' || status === 'SEND_TO_USER_INBOX' || status === 'FAILED';
}

/** Asks TikTok to stop a pull, once for each time that somebody wishes it; what came of it shows in its status. */
async function askToCancel(job: OwnedJob, deps: WorkerDeps): Promise<void> {
  const { publishId, account, cancelAskedAt } = job.record;
  if (publishId === undefined || cancelAskedAt !== undefined) return;
  try {
    await withToken(account, deps, (accessToken) => deps.tiktok.cancelPublish({ publishId }, { accessToken }));
    await job.commit({ cause: { event: 'cancel_accepted' }, patch: { cancelAskedAt: deps.clock.now() } });
  } catch (error) {
    if (!(error instanceof PublishError) || error.code !== 'TIKTOK_NOT_CANCELLABLE') throw error;
    // The wish stays: what then fails at TikTok must not begin again.
    const patch = { cancelAskedAt: deps.clock.now() };
    await job.commit({ cause: { event: 'cancel_refused', code: error.code }, patch });
  }
}

async function settleFailed(job: OwnedJob, answer: StatusAnswer, deps: WorkerDeps): Promise<Settlement> {
  const error = failureOf(answer);
  if (
    (error.code === 'TIKTOK_PUBLISH_CANCELLED' || error.row.verdict === 'new_init') &&
    job.record.cancelRequestedAt !== undefined
  ) {
    return await endJob(job, { to: 'cancelled', tiktokStatus: answer.rawStatus }, deps);
  }
  const { gaveUpFor } = job.record;
  if (gaveUpFor !== undefined) {
    const reason = new PublishError(gaveUpFor.code, { ...error.details, reason: gaveUpFor.message });
    // Of a restored ledger: this publish_id published nothing, but there may be a later one that nobody knows of.
    if (reason.row.verdict === 'unconfirmed') return await endInDoubt(job, gaveUpFor, deps);
    return await endJob(job, { to: 'failed', error: reason }, deps);
  }
  const settled = await settleDeadPull(job, error, deps);
  if (settled !== undefined) return settled;
  if (error.row.verdict !== 'new_init') return await endJob(job, { to: 'failed', error }, deps);
  const settlement = await startAfresh(job, error, deps);
  if (settlement.kind !== 'later') return settlement;
  const delayMs = Math.max(0, settlement.at - deps.clock.now());
  await deps.queues.addPublishEntryAnew(publishEntryOf(job.record, delayMs));
  return { kind: 'done', result: toResult(job.record) };
}

async function endInDoubt(job: OwnedJob, { code, message }: PublishFailure, deps: WorkerDeps): Promise<Settlement> {
  return await endJob(job, { to: 'unconfirmed', error: new PublishError(code, { reason: message }) }, deps);
}

/** TikTok has the video: no trouble with asking for its status may fail the job, it only delays the answer. */
async function settlePollError(job: OwnedJob, thrown: unknown, deps: WorkerDeps): Promise<Settlement> {
  if (thrown instanceof Deferral) {
    deps.metrics.deferred(thrown.waitReason);
    await job.commit({
      cause: { event: 'poll_deferred', waitingFor: thrown.waitReason, until: new Date(thrown.until).toISOString() },
      patch: { bookedSlot: thrown.bookedSlot },
      dueAt: thrown.until + SWEEP_AFTER_MS,
    });
    return { kind: 'later', at: thrown.until };
  }
  const redisTrouble = redisTroubleOf(thrown);
  if (redisTrouble !== undefined) return { kind: 'lost', trouble: redisTrouble };
  const error = toPublishError(thrown);
  if (error.code === 'INTERNAL_OVERTAKEN') return { kind: 'lost' };
  if (error.code === 'INTERNAL_ERROR')
    deps.log.error({ err: error, publishJobId: job.record.id }, 'status poll failed');
  deps.metrics.statusPolled(error.code);
  return await pollAgain(job, error, deps);
}

async function pollAgain(
  job: OwnedJob,
  trouble: PublishError | undefined,
  deps: WorkerDeps,
  pulled: LedgerProgress = {},
): Promise<Settlement> {
  const now = deps.clock.now();
  const { pollSchedule: schedule } = deps.settings;
  const { processingSince = now, pollCount } = job.record;
  const processingForMs = now - processingSince;
  if (isPastDeadline(processingForMs, schedule)) return await endUnconfirmed(job, trouble, deps);
  const plannedAt = await planPoll(job.record, pollCount + 1, deps);
  const at = Math.max(plannedAt, now + mustWaitMs(trouble));
  if (trouble?.code === 'TIKTOK_RATE_LIMITED') await pushSlots(job, trouble, at, deps);
  if (trouble === undefined && job.record.waitingFor === undefined) {
    await job.note({ ...pulled, pollCount: pollCount + 1, nextPollAt: at }, at + SWEEP_AFTER_MS);
  } else {
    await job.commit({
      cause:
        trouble === undefined
          ? { event: 'poll_answered' }
          : { event: 'poll_failed', code: trouble.code, message: trouble.message, retryAt: new Date(at).toISOString() },
      patch: {
        ...pulled,
        pollCount: pollCount + 1,
        nextPollAt: at,
        waitingFor: trouble?.row.waitReason,
        waitingUntil: trouble?.row.waitReason === undefined ? undefined : at,
      },
      dueAt: at + SWEEP_AFTER_MS,
    });
  }
  const seen = job.record;
  return { kind: 'later', at, afterwards: () => wakeIfToldMeanwhile(seen, deps) };
}

function mustWaitMs(trouble: PublishError | undefined): number {
  if (trouble?.row.verdict !== 'wait') return 0;
  return Math.max(trouble.details.retryAfterMs ?? 0, trouble.row.waitMs ?? MINUTE_MS);
}

async function endUnconfirmed(job: OwnedJob, trouble: PublishError | undefined, deps: WorkerDeps): Promise<Settlement> {
  const reason = trouble === undefined ? undefined : `the status could not be read: ${trouble.message}`;
  const error = new PublishError('TIKTOK_NO_OUTCOME', reason === undefined ? {} : { reason });
  return await endWatchedJob(job, { to: 'unconfirmed', error }, deps);
}
