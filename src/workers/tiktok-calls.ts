import { PublishError } from '../core/publish-error.ts';
import { publishIdOf } from '../core/session.ts';
import { Deferral } from '../core/step-interrupt.ts';
import { holdQuotaOnRefusal } from '../limits/slots.ts';
import { type QuotaEndpoint, TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import { withToken } from '../tiktok/with-token.ts';
import type { Needs } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';

/** A booked slot may be used this much early (ms): delayed entries wake by another clock than the one that booked. */
const SLOT_EARLY_MS = 50;
/** And this much late: later it would come too close to the slots that were booked after it. */
const SLOT_LATE_MS = 2_000;

/** What a call to TikTok for a job takes. */
export type CallDeps = Needs<'clock' | 'slots' | 'tokens'>;

/**
 * Takes one call out of an account's quota. The token comes first: one that has to be renewed would make the call late
 * against its slot.
 * @throws Deferral until the slot that was booked, when none is free now
 */
export async function takeSlot(job: OwnedJob, endpoint: QuotaEndpoint, deps: CallDeps): Promise<void> {
  const { account, bookedSlot } = job.record;
  await deps.tokens.accessToken(account);
  if (bookedSlot?.endpoint === endpoint) {
    const lateMs = deps.clock.now() - bookedSlot.at;
    // Woken early, it waits on: another slot would be one that nobody uses.
    if (lateMs < -SLOT_EARLY_MS) throw new Deferral('rate_limit', bookedSlot.at, bookedSlot);
    if (lateMs <= SLOT_LATE_MS) {
      await job.commit({ cause: { event: 'reservation_used', endpoint }, patch: { bookedSlot: undefined } });
      return;
    }
  }
  const slot = await deps.slots.reserve({ account, endpoint, ...TIKTOK_QUOTAS[endpoint] });
  if (slot.waitMs > 0) throw new Deferral('rate_limit', slot.slotAt, { endpoint, at: slot.slotAt });
}

/** Calls TikTok with the account's token, in a slot that was taken; after a 429 the quota is held. */
export async function callInSlot<T>(
  { record: { account } }: OwnedJob,
  endpoint: QuotaEndpoint,
  deps: CallDeps,
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  return await holdQuotaOnRefusal({ account, endpoint }, deps, () => withToken(account, deps, call));
}

/** Token, then quota, then the call. @throws Deferral, see `takeSlot` */
export async function callWithinQuota<T>(
  job: OwnedJob,
  endpoint: QuotaEndpoint,
  deps: CallDeps,
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  await takeSlot(job, endpoint, deps);
  return await callInSlot(job, endpoint, deps, call);
}

/** Asks TikTok what became of the job's publish_id, within the account's quota. */
export async function askStatus(job: OwnedJob, deps: CallDeps & Needs<'tiktok'>): Promise<StatusAnswer> {
  const publishId = publishIdToAskAbout(job);
  return await callWithinQuota(job, 'status', deps, (accessToken) =>
    deps.tiktok.fetchStatus({ publishId }, { accessToken }),
  );
}

/** Asks TikTok to stop the download of a pull; what comes of it shows in its status. @returns whether TikTok agreed */
export async function askToStopPull(job: OwnedJob, deps: Needs<'tiktok' | 'tokens'>): Promise<boolean> {
  const publishId = publishIdToAskAbout(job);
  try {
    await withToken(job.record.account, deps, (accessToken) =>
      deps.tiktok.cancelPublish({ publishId }, { accessToken }),
    );
    return true;
  } catch (error) {
    if (error instanceof PublishError && error.code === 'TIKTOK_NOT_CANCELLABLE') return false;
    throw error;
  }
}

function publishIdToAskAbout({ record: { session } }: OwnedJob): string {
  const publishId = publishIdOf(session);
  if (publishId === undefined) throw new PublishError('INTERNAL_ERROR', { reason: 'no publish_id to ask about' });
  return publishId;
}
