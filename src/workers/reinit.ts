import type { PublishError } from '../core/publish-error.ts';
import { NO_SESSION } from '../ledger/change.ts';
import { awaitOutcome } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';
import { retryLater } from './step-aside.ts';
import { askStatus } from './tiktok-calls.ts';
import { planOf, positionFromStatus, type UploadPosition } from './upload-position.ts';

/** More inits than this for one job mean that it can't succeed as it is. */
const MAX_INITS = 6;

/**
 * The upload session is dead. Starts afresh if TikTok's status shows that it published nothing; goes on to polling if
 * it may have.
 * @param settleOther settles what goes wrong with asking
 */
export async function reinitIfNothingWasPublished(
  job: OwnedJob,
  error: PublishError,
  deps: WorkerDeps,
  settleOther: (thrown: unknown) => Promise<Settlement>,
): Promise<Settlement> {
  if (error.details.publishFailed === true) return await startAfresh(job, error, deps);
  if (job.record.publishId === undefined) return await retryLater(job, error, deps);
  let position: UploadPosition;
  try {
    position = positionFromStatus(await askStatus(job, deps), planOf(job.record));
  } catch (thrown) {
    return await settleOther(thrown);
  }
  const mayHaveAll = position.kind === 'unknown' && job.record.lastChunkStartedAt !== undefined;
  if (position.kind === 'complete' || mayHaveAll) return await awaitOutcome(job, error, deps);
  return await startAfresh(job, error, deps);
}

/** Gives the publish_id up, which published nothing, and lets the publish queue begin again after a backoff. */
export async function startAfresh(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  if (job.record.initCount >= MAX_INITS) return await endJob(job, { to: 'failed', error }, deps);
  return await retryLater(job, error, deps, NO_SESSION);
}
