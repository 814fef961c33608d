import { referenceTo } from '../core/job-reference.ts';
import { PublishError } from '../core/publish-error.ts';
import { toFailure } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import { isCounted } from '../core/publish-statistics.ts';
import { isWorthRechecking, mayBePublic, nextRecheckDelayMs } from '../core/recheck-schedule.ts';
import { publishIdOf } from '../core/session.ts';
import { type EntryResult, failed, type Settlement } from '../core/settlement.ts';
import { endChange, type JobEnd } from '../ledger/change.ts';
import { latenessMs } from '../ledger/job-view.ts';
import { recheckEntryId } from '../ledger/queues/job-ids.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { wakeDrafts } from '../limits/wake-jobs.ts';
import type { Needs } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';

export type EndDeps = Needs<'clock' | 'lanes' | 'ledger' | 'log' | 'metrics' | 'queues' | 'random' | 'statistics'>;

/**
 * Writes a job's outcome with its event, and starts the rechecks if a later status may bring something new. A draft that
 * its creator has posted leaves room in their inbox for the next.
 */
export async function endJob(job: OwnedJob, end: JobEnd, deps: EndDeps): Promise<Settlement> {
  const outcome = { ...job.record, state: end.to, postIds: end.postIds ?? job.record.postIds };
  const delayMs = isWatched(outcome) ? nextRecheckDelayMs(0, 0, deps) : undefined;
  // First the entry, then the outcome: a needless entry does no harm, a missing one would mean no recheck.
  if (delayMs !== undefined) await deps.queues.addRecheckEntry(referenceTo(job.record), delayMs);
  const now = deps.clock.now();
  const isCorrection = isTerminal(job.record.state);
  await job.commit(endChange(job.record, end, now));
  reportEnd(job.record, now, deps, isCorrection);
  if (job.record.mode === 'inbox' && end.to === 'published') await wakeDrafts(job.record.account, deps);
  return settlementOf(job.record);
}

/**
 * Logs and counts a job that has just ended.
 * @param isCorrection a late answer replaced its outcome: statistics have counted it
 */
export function reportEnd(
  record: LedgerRecord,
  now: number,
  { log, metrics, statistics }: Pick<EndDeps, 'log' | 'metrics' | 'statistics'>,
  isCorrection = false,
): void {
  const { id, state, failure, mode, request, createdAt, scheduledAt = 0 } = record;
  log.info({ publishJobId: id, state, code: failure?.code }, 'publish job ended');
  const durationMs = now - Math.max(createdAt, scheduledAt);
  metrics.jobEnded({ mode, source: request.media.type, outcome: state, durationMs });
  const lateMs = state === 'published' || state === 'in_inbox' ? latenessMs(record, now) : undefined;
  if (!isCorrection && isCounted(state)) statistics.note({ state, tookMs: durationMs, lateMs });
  if (lateMs !== undefined) metrics.scheduledPostReached('published', lateMs);
}

/** How a queue entry ends whose job has its outcome (or whose part of the work is done). */
export function settlementOf(record: LedgerRecord): Settlement {
  const isFailure = record.state === 'failed' || record.state === 'unconfirmed';
  if (!isFailure) return { kind: 'done', result: toResult(record) };
  return failed(record.failure ?? toFailure(new PublishError('INTERNAL_ERROR')));
}

/** What Bull Board shows as an entry's result. */
export function toResult(record: LedgerRecord): EntryResult {
  return { state: record.state, publishId: publishIdOf(record.session) ?? null, postIds: record.postIds };
}

/** Whether a later status may bring something new about a job. */
export function isWatched({ state, session, postIds, request }: LedgerRecord): boolean {
  return isWorthRechecking({ state, session, postIds, isPublic: mayBePublic(request) });
}

/** Restores the lost recheck entry of a job that is still watched. @returns whether the job is still watched */
export async function ensureRecheckEntry(
  record: LedgerRecord,
  now: number,
  deps: Pick<EndDeps, 'queues' | 'random'>,
): Promise<boolean> {
  if (!isWatched(record)) return false;
  const { id, endedAt = now, recheckCount = 0 } = record;
  const delayMs = nextRecheckDelayMs(now - endedAt, recheckCount, deps);
  if (delayMs === undefined) return false;
  if (!(await deps.queues.isPending('status', recheckEntryId(id)))) {
    await deps.queues.addRecheckEntry(referenceTo(record), delayMs);
  }
  return true;
}
