import { referenceTo } from '../core/job-reference.ts';
import { toPublishError } from '../core/publish-error.ts';
import { nextRecheckDelayMs } from '../core/recheck-schedule.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, toResult } from './end-job.ts';
import { OwnedJob } from './owned-job.ts';
import { Deferral, type Settlement } from './settlement.ts';
import { claimStatusEntry, type StatusQueueEntry } from './status-entry.ts';
import { inSpan } from './step-span.ts';
import { askStatus } from './tiktok-calls.ts';
import { failureOf } from './upload-position.ts';
import { isWatched } from './watch-ended-job.ts';

/** Looks once at a finished job: a late answer corrects its outcome or brings its post id. */
export async function processRecheckEntry(entry: StatusQueueEntry, deps: WorkerDeps): Promise<Settlement> {
  const job = await claimStatusEntry(entry, deps);
  if (!(job instanceof OwnedJob)) return job;
  if (!isWatched(job.record)) return done(job);
  try {
    await inSpan('recheck', job.record, deps, async () => apply(job, await askStatus(job, deps), deps));
  } catch (thrown) {
    if (thrown instanceof Deferral) return await waitForSlot(job, thrown);
    const trouble = redisTroubleOf(thrown);
    if (trouble !== undefined) return { kind: 'lost', trouble };
    const error = toPublishError(thrown);
    if (error.code === 'INTERNAL_OVERTAKEN') return { kind: 'lost' };
    deps.log.info({ publishJobId: job.record.id, code: error.code }, 'recheck failed');
  }
  return await lookAgain(job, deps);
}

async function apply(job: OwnedJob, answer: StatusAnswer, deps: WorkerDeps): Promise<void> {
  const { record } = job;
  deps.metrics.statusPolled(answer.rawStatus);
  if (answer.status === 'PUBLISH_COMPLETE' && record.state === 'published') {
    if (answer.postIds.length === 0) return;
    await job.commit({
      event: 'publish.post_available',
      cause: { event: 'post_available', postIds: answer.postIds },
      patch: { postIds: answer.postIds },
    });
    return;
  }
  if (answer.status === 'PUBLISH_COMPLETE') {
    await correct(job, { to: 'published', postIds: answer.postIds, tiktokStatus: answer.rawStatus }, deps);
  } else if (answer.status === 'SEND_TO_USER_INBOX' && record.state === 'unconfirmed') {
    await correct(job, { to: 'in_inbox', tiktokStatus: answer.rawStatus }, deps);
  } else if (answer.status === 'FAILED' && record.state === 'unconfirmed') {
    await correct(job, { to: 'failed', error: failureOf(answer) }, deps);
  }
}

/** Keeps the call that was booked, so that waking up does not book another. */
async function waitForSlot(job: OwnedJob, { until, bookedSlot }: Deferral): Promise<Settlement> {
  await job.commit({
    cause: { event: 'recheck_deferred', until: new Date(until).toISOString() },
    patch: { bookedSlot },
  });
  return { kind: 'later', at: until };
}

/** A late answer replaces the outcome, and the failed entry that stood for it. */
async function correct(job: OwnedJob, end: Parameters<typeof endJob>[1], deps: WorkerDeps): Promise<void> {
  await endJob(job, end, deps);
  await deps.queues.addStatusEntryAnew(referenceTo(job.record), 0);
}

async function lookAgain(job: OwnedJob, deps: WorkerDeps): Promise<Settlement> {
  const { record } = job;
  if (!isWatched(record)) return done(job);
  const now = deps.clock.now();
  const rechecks = record.recheckCount ?? 0;
  const delayMs = nextRecheckDelayMs(now - (record.endedAt ?? now), rechecks + 1, deps);
  if (delayMs === undefined) return done(job);
  await job.note({ recheckCount: rechecks + 1 });
  return { kind: 'later', at: now + delayMs };
}

function done(job: OwnedJob): Settlement {
  return { kind: 'done', result: toResult(job.record) };
}
