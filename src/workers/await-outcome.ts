import { referenceTo } from '../core/job-reference.ts';
import { isFetchedByTikTok, mediaInUse } from '../core/media-route.ts';
import { PublishError } from '../core/publish-error.ts';
import type { LedgerPatch, LedgerRecord } from '../ledger/record.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, toFailure, toResult } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import { planFirstPoll } from './plan-poll.ts';
import type { Settlement } from './settlement.ts';
import { askStatus } from './tiktok-calls.ts';
import { planOf, positionFromStatus } from './upload-position.ts';

/**
 * Fails a job, unless TikTok may still publish it: then only TikTok's status can tell, and the job goes on to polling
 * whatever went wrong on our side. A `failed` that appears on TikTok would be a lie, and an invitation to post twice.
 */
export async function failUnlessItMayAppear(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const isCertain = error.details.publishFailed === true || !mayAppear(job.record) || (await isIncomplete(job, deps));
  if (isCertain) return await endJob(job, { to: 'failed', error }, deps);
  return await awaitOutcome(job, error, deps, { gaveUpFor: toFailure(error) });
}

/** Whether TikTok itself says that bytes are missing or that it failed the post. */
async function isIncomplete(job: OwnedJob, deps: WorkerDeps): Promise<boolean> {
  if (isFetchedByTikTok(mediaInUse(job.record))) return false;
  try {
    return positionFromStatus(await askStatus(job, deps), planOf(job.record)).kind === 'at';
  } catch (thrown) {
    if (!(thrown instanceof PublishError)) return false;
    if (thrown.code === 'INTERNAL_OVERTAKEN') throw thrown;
    return thrown.details.publishFailed === true;
  }
}

/**
 * Leaves the outcome to the polls.
 * @param patch `gaveUpFor`: what the job fails with should TikTok turn out not to have published it
 */
export async function awaitOutcome(
  job: OwnedJob,
  error: PublishError,
  deps: WorkerDeps,
  patch: Pick<LedgerPatch, 'gaveUpFor'> = {},
): Promise<Settlement> {
  await job.commit({
    to: 'processing',
    cause: { event: 'outcome_awaited', code: error.code, message: error.message },
    patch: {
      ...patch,
      processingSince: deps.clock.now(),
      nextPollAt: await planFirstPoll(job.record, deps),
      uploadUrlSealed: undefined,
      waitingFor: undefined,
      waitingUntil: undefined,
      pollCount: 0,
    },
  });
  const { nextPollAt = 0 } = job.record;
  await deps.queues.addStatusEntryAnew(referenceTo(job.record), Math.max(0, nextPollAt - deps.clock.now()));
  return { kind: 'done', result: toResult(job.record) };
}

/** Whether TikTok may have everything it needs to publish. */
export function mayAppear(record: LedgerRecord): boolean {
  if (record.publishId === undefined) return false;
  return isFetchedByTikTok(mediaInUse(record)) || record.lastChunkStartedAt !== undefined;
}
