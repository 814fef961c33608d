import { PublishError, toPublishError } from '../core/publish-error.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { failUnlessItMayAppear } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob } from './end-job.ts';
import { mayHavePublishedByInit } from './init-publish.ts';
import type { OwnedJob } from './owned-job.ts';
import { reinitIfNothingWasPublished } from './reinit.ts';
import { Deferral, Handback, type Settlement } from './settlement.ts';
import { retryLater, stepAside } from './step-aside.ts';
import { waitForDeferral, waitForRefusal } from './wait-for-quota.ts';

/** Decides, by the error table, what follows from an error at any step of a job, and writes it. */
export async function settleError(job: OwnedJob, thrown: unknown, deps: WorkerDeps): Promise<Settlement> {
  if (thrown instanceof Handback) return await handBack(job, deps);
  if (thrown instanceof Deferral) return await waitForDeferral(job, thrown, deps);
  const trouble = redisTroubleOf(thrown);
  // Says nothing of the job, and nothing could be written of it.
  if (trouble !== undefined) return { kind: 'lost', trouble };
  const error = toPublishError(thrown);
  const { row } = error;
  if (error.code === 'INTERNAL_OVERTAKEN') return { kind: 'lost' };
  if (error.code === 'INTERNAL_ERROR') deps.log.error({ err: error, publishJobId: job.record.id }, 'unforeseen error');
  if (isLostInit(job, error)) return await endLostInit(job, error, deps);
  switch (row.verdict) {
    case 'give_up':
      if (error.code === 'TIKTOK_USER_BANNED') await stopAccount(job, deps);
      return await failUnlessItMayAppear(job, error, deps);
    case 'unconfirmed':
      return await endJob(job, { to: 'unconfirmed', error }, deps);
    case 'wait':
      return await waitForRefusal(job, error, deps);
    case 'new_init':
      return await reinitIfNothingWasPublished(job, error, deps, (other) => settleError(job, other, deps));
    case 'retry':
    case 'resync_offset':
    case 'ask_status':
    case 'refresh_token':
      return await retryLater(job, error, deps);
  }
}

/** An init whose answer nobody has and that may have published something: repeating it could post twice. */
function isLostInit(job: OwnedJob, error: PublishError): boolean {
  return mayHavePublishedByInit(job.record) && !error.row.outcomeKnown;
}

/** Nothing of this account can be posted, so the others of its lane wait for its owner instead of failing one by one. */
async function stopAccount({ record }: OwnedJob, { pauseAccount, log }: WorkerDeps): Promise<void> {
  await pauseAccount(record.account);
  log.error({ publishJobId: record.id, account: record.account, code: 'TIKTOK_USER_BANNED' }, 'account paused');
}

async function endLostInit(job: OwnedJob, cause: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const error = new PublishError(
    'TIKTOK_LOST_INIT',
    { ...cause.details, reason: `the answer to the init was lost: ${cause.message}` },
    { cause },
  );
  return await endJob(job, { to: 'unconfirmed', error }, deps);
}

async function handBack(job: OwnedJob, deps: WorkerDeps): Promise<Settlement> {
  if (mayHavePublishedByInit(job.record)) return await endLostInit(job, new PublishError('TRANSPORT_NO_ANSWER'), deps);
  const at = deps.clock.now();
  await stepAside(job, { at, cause: { event: 'handed_back' }, patch: {} });
  return { kind: 'later', at };
}
