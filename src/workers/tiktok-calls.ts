import { PublishError } from '../core/publish-error.ts';
import { type QuotaEndpoint, TIKTOK_QUOTAS } from '../quota/tiktok-quotas.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import { withToken } from '../tiktok/with-token.ts';
import type { WorkerDeps } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';
import { Deferral } from './settlement.ts';

/** A booked slot may be used this much early (ms): delayed entries wake by another clock than the one that booked. */
const SLOT_EARLY_MS = 50;
/** And this much late: later it would come too close to the slots that were booked after it. */
const SLOT_LATE_MS = 2_000;

type CallDeps = Pick<WorkerDeps, 'tokens' | 'slots' | 'clock' | 'tiktok'>;

/**
 * Takes one call out of an account's quota.
 * @throws Deferral until the slot that was booked, when none is free now
 */
export async function takeSlot(job: OwnedJob, endpoint: QuotaEndpoint, deps: CallDeps): Promise<void> {
  const { account, bookedSlot } = job.record;
  if (bookedSlot?.endpoint === endpoint) {
    const lateMs = deps.clock.now() - bookedSlot.at;
    // Woken early, it waits on: another slot would be one that nobody uses.
    if (lateMs < -SLOT_EARLY_MS) throw new Deferral('rate_limit', bookedSlot.at, bookedSlot);
    if (lateMs <= SLOT_LATE_MS) {
      await job.commit({ cause: { event: 'slot_used', endpoint }, patch: { bookedSlot: undefined } });
      return;
    }
  }
  const slot = await deps.slots.reserve({ account, endpoint, ...TIKTOK_QUOTAS[endpoint] });
  if (slot.waitMs > 0) throw new Deferral('rate_limit', slot.slotAt, { endpoint, at: slot.slotAt });
}

/** Asks TikTok what became of the job's publish_id, within the account's quota. */
export async function askStatus(job: OwnedJob, deps: CallDeps): Promise<StatusAnswer> {
  const { publishId, account } = job.record;
  if (publishId === undefined) throw new PublishError('INTERNAL_ERROR', { reason: 'no publish_id to check' });
  // A token that has to be renewed would make the call late against its slot.
  await deps.tokens.accessToken(account);
  await takeSlot(job, 'status', deps);
  return await withToken(account, deps, (accessToken) => deps.tiktok.fetchStatus({ publishId }, { accessToken }));
}
