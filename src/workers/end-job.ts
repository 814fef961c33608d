import { PublishError } from '../core/publish-error.ts';
import type { PublishEventType } from '../core/publish-event.ts';
import type { PublishFailure } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { WorkerDeps } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';
import type { EntryResult, Settlement } from './settlement.ts';

/** States in which a job ends, and the event that reports each. */
export const END_EVENTS = {
  published: 'publish.published',
  in_inbox: 'publish.in_inbox',
  failed: 'publish.failed',
  cancelled: 'publish.cancelled',
  unconfirmed: 'publish.unconfirmed',
} as const satisfies Record<string, PublishEventType>;

/** An outcome, and what goes with it. */
export interface JobEnd {
  readonly to: keyof typeof END_EVENTS;
  readonly error?: PublishError;
  readonly postIds?: readonly string[];
  /** TikTok's status, as sent. */
  readonly tiktokStatus?: string;
}

type EndDeps = Pick<WorkerDeps, 'clock' | 'log' | 'metrics'>;

/** An error as a person reads it on the job. */
export function toFailure(error: PublishError): PublishFailure {
  const { tiktokCode, tiktokLogId } = error.details;
  return {
    code: error.code,
    message: error.message,
    advice: error.row.advice,
    retryable: error.row.retryable,
    ...(tiktokCode !== undefined && { tiktokCode }),
    ...(tiktokLogId !== undefined && { tiktokLogId }),
  };
}

/** Writes a job's outcome together with its event. */
export async function endJob(job: OwnedJob, end: JobEnd, { clock, log, metrics }: EndDeps): Promise<Settlement> {
  const now = clock.now();
  const { record } = job;
  const failure = end.error === undefined ? undefined : toFailure(end.error);
  await job.commit({
    to: end.to,
    event: END_EVENTS[end.to],
    cause: {
      event: end.to,
      ...(failure !== undefined && { code: failure.code, message: failure.message }),
      ...(end.tiktokStatus !== undefined && { tiktokStatus: end.tiktokStatus }),
    },
    patch: {
      endedAt: now,
      failure,
      postIds: end.postIds ?? record.postIds,
      initIntendedAt: undefined,
      waitingFor: undefined,
      waitingUntil: undefined,
      bookedSlot: undefined,
      // A failed upload may be resumed by hand while its URL lives.
      ...(end.to !== 'failed' && { uploadUrlSealed: undefined }),
      ...(end.error?.details.publishFailed === true && { failedByTikTokAt: now, uploadUrlSealed: undefined }),
    },
  });
  log.info({ publishJobId: record.id, state: end.to, code: failure?.code }, 'publish job ended');
  metrics.jobEnded({
    mode: record.mode,
    source: record.request.media.type,
    outcome: end.to,
    durationMs: now - Math.max(record.createdAt, record.scheduledAt ?? 0),
  });
  return settlementOf(job.record);
}

/** How a queue entry ends whose job has its outcome (or whose part of the work is done). */
export function settlementOf(record: LedgerRecord): Settlement {
  const isFailure = record.state === 'failed' || record.state === 'unconfirmed';
  if (isFailure) {
    const { code, message } = record.failure ?? toFailure(new PublishError('INTERNAL_ERROR'));
    return { kind: 'failed', failure: { code, message } };
  }
  return { kind: 'done', result: toResult(record) };
}

/** What Bull Board shows as an entry's result. */
export function toResult(record: LedgerRecord): EntryResult {
  return { state: record.state, publishId: record.publishId ?? null, postIds: record.postIds };
}

/** Whether a job has its outcome, so that an entry of it has nothing left to do. */
export function hasEnded(record: LedgerRecord): boolean {
  return isTerminal(record.state);
}
