import { PublishError } from '../core/publish-error.ts';
import type { LedgerPatch } from '../ledger/record.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';
import { retryLater } from './step-aside.ts';
import { askStatus } from './tiktok-calls.ts';
import { planOf, positionFromStatus, type UploadPosition } from './upload-position.ts';

/** More inits than this for one job mean that it can't succeed as it is. */
const MAX_INITS = 6;

/** Clears an upload session whose publish_id published nothing. */
const NO_SESSION: LedgerPatch = {
  publishId: undefined,
  uploadUrlSealed: undefined,
  uploadExpiresAt: undefined,
  lastChunkStartedAt: undefined,
  processingSince: undefined,
  initIntendedAt: undefined,
  sentBytes: 0,
  acceptedBytes: 0,
  acceptedCrc32: undefined,
  pollCount: 0,
};

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
  if (job.record.publishId === undefined) return await retryLater(job, error, deps);
  let position: UploadPosition;
  try {
    position = positionFromStatus(await askStatus(job, deps), planOf(job.record));
  } catch (thrown) {
    if (isProofOfNothing(thrown)) return await startAfresh(job, error, deps);
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

/** TikTok failed the post for a reason that a new init may mend: it is over, and nothing was published. */
function isProofOfNothing(thrown: unknown): boolean {
  return thrown instanceof PublishError && thrown.row.verdict === 'new_init';
}

async function awaitOutcome(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const { id, account } = job.record;
  await job.commit({
    to: 'processing',
    cause: { event: 'upload_possibly_complete', code: error.code },
    patch: { processingSince: deps.clock.now(), uploadUrlSealed: undefined, pollCount: 0 },
  });
  await deps.queues.addStatusEntryAnew({ version: 1, id, account }, deps.settings.pollSchedule.firstMs);
  return { kind: 'done', result: { state: 'processing', publishId: job.record.publishId ?? null, postIds: [] } };
}
