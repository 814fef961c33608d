import { referenceTo } from '../../core/job-reference.ts';
import { mayHaveLaterSession } from '../../core/plan-after-error.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { JobEnd } from '../../ledger/change.ts';
import type { StatusAnswer } from '../../tiktok/index.ts';
import type { WorkerDeps } from '../deps.ts';
import { type EndDeps, endJob, isWatched, toResult } from '../end-job.ts';
import { OwnedJob } from '../owned-job.ts';
import { failureOf } from '../publish/upload-position.ts';
import { settleTrouble } from '../settle-trouble.ts';
import { inSpan } from '../step-span.ts';
import { askStatus } from '../tiktok-calls.ts';
import { recheckAgain } from './ask-again.ts';
import { claimStatusEntry, type StatusQueueEntry } from './status-entry.ts';

/** Looks once at a finished job: a late answer corrects its outcome or brings its post id. */
export async function processRecheckEntry(entry: StatusQueueEntry, deps: WorkerDeps): Promise<Settlement> {
  const job = await claimStatusEntry(entry, deps);
  if (!(job instanceof OwnedJob)) return job;
  if (!isWatched(job.record)) return { kind: 'done', result: toResult(job.record) };
  try {
    await inSpan('recheck', job.record, deps, async () => apply(job, await askStatus(job, deps), deps));
    return await recheckAgain(job, deps);
  } catch (thrown) {
    return await settleTrouble(job, thrown, 'recheck', deps);
  }
}

async function apply(job: OwnedJob, answer: StatusAnswer, deps: EndDeps): Promise<void> {
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
  } else if (answer.status === 'FAILED' && record.state === 'unconfirmed' && !mayHaveLaterSession(record)) {
    await correct(job, { to: 'failed', error: failureOf(answer) }, deps);
  }
}

/** A late answer replaces the outcome, and the failed entry that stood for it. */
async function correct(job: OwnedJob, end: JobEnd, deps: EndDeps): Promise<void> {
  await endJob(job, end, deps);
  await deps.queues.replaceStatusEntry(referenceTo(job.record), 0);
}
