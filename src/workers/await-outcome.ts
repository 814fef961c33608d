import type { PublishError } from '../core/publish-error.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob, toResult } from './end-job.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';

/**
 * Fails a job, unless TikTok may still publish it: then only TikTok's status can tell, and the job goes on to polling
 * whatever went wrong on our side. A `failed` that appears on TikTok would be a lie, and an invitation to post twice.
 */
export async function failUnlessItMayAppear(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  if (error.details.publishFailed === true || !mayAppear(job)) return await endJob(job, { to: 'failed', error }, deps);
  return await awaitOutcome(job, error, deps);
}

/** Leaves the outcome to the polls. */
export async function awaitOutcome(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const { id, account } = job.record;
  await job.commit({
    to: 'processing',
    cause: { event: 'outcome_awaited', code: error.code, message: error.message },
    patch: {
      processingSince: deps.clock.now(),
      uploadUrlSealed: undefined,
      waitingFor: undefined,
      waitingUntil: undefined,
      pollCount: 0,
    },
  });
  await deps.queues.addStatusEntryAnew({ version: 1, id, account }, deps.settings.pollSchedule.firstMs);
  return { kind: 'done', result: toResult(job.record) };
}

/** Whether TikTok may have everything it needs to publish. */
function mayAppear({ record }: OwnedJob): boolean {
  if (record.publishId === undefined) return false;
  return record.request.media.type === 'pull' || record.lastChunkStartedAt !== undefined;
}
