import { PublishError, toPublishError } from '../core/publish-error.ts';
import { MINUTE_MS } from '../core/units.ts';
import { TIKTOK_QUOTAS } from '../quota/tiktok-quotas.ts';
import { failUnlessItMayAppear } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import { endJob } from './end-job.ts';
import { mayHavePublishedByInit } from './init-publish.ts';
import type { OwnedJob } from './owned-job.ts';
import { reinitIfNothingWasPublished } from './reinit.ts';
import { Deferral, Handback, type Settlement } from './settlement.ts';
import { retryLater, stepAside } from './step-aside.ts';

/** Decides, by the error table, what follows from an error at any step of a job, and writes it. */
export async function settleError(job: OwnedJob, thrown: unknown, deps: WorkerDeps): Promise<Settlement> {
  if (thrown instanceof Handback) return await handBack(job, deps);
  if (thrown instanceof Deferral) return await waitUntil(job, thrown, deps);
  const error = toPublishError(thrown);
  const { row } = error;
  if (error.code === 'INTERNAL_OVERTAKEN') return { kind: 'lost' };
  if (error.code === 'INTERNAL_ERROR') deps.log.error({ err: error, publishJobId: job.record.id }, 'unforeseen error');
  if (isLostInit(job, error)) return await endLostInit(job, error, deps);
  switch (row.verdict) {
    case 'give_up':
      return await failUnlessItMayAppear(job, error, deps);
    case 'unconfirmed':
      return await endJob(job, { to: 'unconfirmed', error }, deps);
    case 'wait':
      return await waitFor(job, error, deps);
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

async function endLostInit(job: OwnedJob, cause: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const error = new PublishError(
    'TIKTOK_LOST_INIT',
    { ...cause.details, reason: `the answer to the init was lost: ${cause.message}` },
    { cause },
  );
  return await endJob(job, { to: 'unconfirmed', error }, deps);
}

async function waitFor(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const { row, details } = error;
  const now = deps.clock.now();
  const until = now + Math.max(details.retryAfterMs ?? 0, row.waitMs ?? MINUTE_MS);
  const reason = row.waitReason ?? 'rate_limit';
  if (error.code === 'TIKTOK_RATE_LIMITED') await pushSlots(job, error, until, deps);
  deps.metrics.deferred(reason);
  await stepAside(job, {
    at: until,
    cause: { event: 'deferred', waitingFor: reason, until: iso(until), code: error.code, message: error.message },
    patch: { waitingFor: reason, waitingUntil: until },
  });
  return { kind: 'later', at: until };
}

/** After a 429 nothing more is booked for this account and endpoint before a time. */
export async function pushSlots(
  job: OwnedJob,
  error: PublishError,
  notBeforeAt: number,
  deps: WorkerDeps,
): Promise<void> {
  const endpoint = error.details.endpoint === 'status' ? 'status' : (`${job.record.mode}_init` as const);
  await deps.slots.push({ account: job.record.account, endpoint, ...TIKTOK_QUOTAS[endpoint], notBeforeAt });
}

async function waitUntil(job: OwnedJob, { waitReason, until, bookedSlot }: Deferral, deps: WorkerDeps) {
  deps.metrics.deferred(waitReason);
  await stepAside(job, {
    at: until,
    cause: { event: 'deferred', waitingFor: waitReason, until: iso(until) },
    patch: { waitingFor: waitReason, waitingUntil: until, bookedSlot },
  });
  return { kind: 'later', at: until } as const;
}

async function handBack(job: OwnedJob, deps: WorkerDeps): Promise<Settlement> {
  if (mayHavePublishedByInit(job.record)) return await endLostInit(job, new PublishError('TRANSPORT_NO_ANSWER'), deps);
  const at = deps.clock.now();
  await stepAside(job, { at, cause: { event: 'handed_back' }, patch: {} });
  return { kind: 'later', at };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
