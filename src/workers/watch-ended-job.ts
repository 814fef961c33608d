import { referenceTo } from '../core/job-reference.ts';
import { isWorthRechecking, mayBePublic, nextRecheckDelayMs } from '../core/recheck-schedule.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { recheckEntryId } from '../queues/job-ids.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, type JobEnd } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';

/** Writes an outcome about which a late answer could still tell something, and starts the watch for it. */
export async function endWatchedJob(job: OwnedJob, end: JobEnd, deps: WorkerDeps): Promise<Settlement> {
  const outcome = { ...job.record, state: end.to, postIds: end.postIds ?? [] };
  const delayMs = isWatched(outcome) ? nextRecheckDelayMs(0, 0, deps) : undefined;
  // First the entry, then the outcome: an entry too many finds nothing to do, one too few would never look.
  if (delayMs !== undefined) await deps.queues.addRecheckEntry(referenceTo(job.record), delayMs);
  return await endJob(job, end, deps);
}

/** Gives a job that is still watched its entry back, should it be lost. @returns whether the job is still watched */
export async function ensureRecheckEntry(record: LedgerRecord, now: number, deps: WorkerDeps): Promise<boolean> {
  if (!isWatched(record)) return false;
  const { id, endedAt = now, recheckCount = 0 } = record;
  const delayMs = nextRecheckDelayMs(now - endedAt, recheckCount, deps);
  if (delayMs === undefined) return false;
  if (!(await deps.queues.isPending('status', recheckEntryId(id)))) {
    await deps.queues.addRecheckEntry(referenceTo(record), delayMs);
  }
  return true;
}

/** Whether a late answer could still tell something about a job. */
export function isWatched({ state, publishId, postIds, request }: LedgerRecord): boolean {
  return isWorthRechecking({ state, publishId, postIds, isPublic: mayBePublic(request) });
}
