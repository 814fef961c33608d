import { PublishError } from '../core/publish-error.ts';
import type { WaitReason } from '../core/publish-state.ts';
import { MINUTE_MS } from '../core/units.ts';
import { hasWaitedTooLong, WAITED_TOO_LONG } from '../core/wait-limit.ts';
import { type QuotaEndpoint, TIKTOK_QUOTAS } from '../quota/tiktok-quotas.ts';
import { failUnlessItMayAppear } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Deferral, Settlement } from './settlement.ts';
import { stepAside } from './step-aside.ts';

/** Lets a job wait for what TikTok refused it: its account's lane stands still meanwhile, and no attempt is burnt. */
export async function waitForRefusal(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<Settlement> {
  const reason = error.row.waitReason ?? 'rate_limit';
  const until = await retryAt(job, error, deps);
  return await wait(job, { reason, until, error }, deps);
}

/** Lets a job wait for a time that one of its steps asked for. */
export async function waitForDeferral(job: OwnedJob, deferral: Deferral, deps: WorkerDeps): Promise<Settlement> {
  const { waitReason: reason, until, bookedSlot } = deferral;
  return await wait(job, { reason, until, bookedSlot }, deps);
}

/** After a 429 nothing more is booked for this account and endpoint before a time. */
export async function pushSlots(
  job: OwnedJob,
  error: PublishError,
  notBeforeAt: number,
  deps: WorkerDeps,
): Promise<void> {
  const { endpoint: asked } = error.details;
  const endpoint = isQuotaEndpoint(asked) ? asked : (`${job.record.mode}_init` as const);
  await deps.slots.push({ account: job.record.account, endpoint, ...TIKTOK_QUOTAS[endpoint], notBeforeAt });
}

function isQuotaEndpoint(endpoint: string | undefined): endpoint is QuotaEndpoint {
  return endpoint !== undefined && Object.hasOwn(TIKTOK_QUOTAS, endpoint);
}

async function retryAt(job: OwnedJob, error: PublishError, deps: WorkerDeps): Promise<number> {
  const { details, row, code } = error;
  const now = deps.clock.now();
  if (code === 'TIKTOK_DAILY_POST_CAP') return await deps.caps.nextDailyTryAt(job.record.account);
  const until = now + Math.max(details.retryAfterMs ?? 0, row.waitMs ?? MINUTE_MS);
  if (code === 'TIKTOK_RATE_LIMITED') await pushSlots(job, error, until, deps);
  if (code === 'TIKTOK_ACTIVE_USER_CAP') await deps.caps.holdNewUsersUntil(until);
  return until;
}

async function wait(
  job: OwnedJob,
  why: {
    reason: WaitReason;
    until: number;
    error?: PublishError;
    bookedSlot?: Deferral['bookedSlot'];
  },
  deps: WorkerDeps,
): Promise<Settlement> {
  const { reason, until, error } = why;
  if (hasWaitedTooLong(job.record, until, deps.settings.maxWaitMs)) {
    return await failUnlessItMayAppear(job, error ?? new PublishError(WAITED_TOO_LONG[reason]), deps);
  }
  deps.metrics.deferred(reason);
  await stepAside(job, {
    at: until,
    cause: {
      event: 'deferred',
      waitingFor: reason,
      until: new Date(until).toISOString(),
      ...(error !== undefined && { code: error.code, message: error.message }),
    },
    patch: { waitingFor: reason, waitingUntil: until, bookedSlot: why.bookedSlot },
  });
  deps.log.info(
    { publishJobId: job.record.id, waitingFor: reason, until: new Date(until).toISOString(), code: error?.code },
    'publish job waiting',
  );
  // What Redis lacks is no matter of this account.
  if (reason !== 'replication') await deps.lanes.closeGate(job.record.account, { reason, until });
  return { kind: 'later', at: until };
}
