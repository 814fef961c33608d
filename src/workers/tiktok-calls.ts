import { PublishError } from '../core/publish-error.ts';
import { publishIdOf } from '../core/session.ts';
import { Deferral } from '../core/step-interrupt.ts';
import { holdQuotaOnRefusal, RESERVATION_LATE_MS } from '../limits/reservations.ts';
import { type QuotaEndpoint, TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import { callWithToken } from '../tiktok/call-with-token.ts';
import type { StatusAnswer } from '../tiktok/index.ts';
import type { Needs } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';

/** A reservation may be used this much early (ms): delayed entries wake by another clock than the one that booked. */
const RESERVATION_EARLY_MS = 50;

/** What a call to TikTok for a job takes. */
export type QuotaCallDeps = Needs<'clock' | 'reservations' | 'tokens'>;

/**
 * Takes one call out of an account's quota.
 * @returns the account's token
 * @throws Deferral until the reserved time, when no call may be made now
 */
async function takeReservation(job: OwnedJob, endpoint: QuotaEndpoint, deps: QuotaCallDeps): Promise<string> {
  const { account } = job.record;
  const { accessToken, isReserved } = await takeBookedCall(job, endpoint, deps);
  if (isReserved) return accessToken;
  const bookedAt = endpoint === 'status' ? job.takeStatusCall() : undefined;
  const isUsable = bookedAt !== undefined && deps.clock.now() - bookedAt <= RESERVATION_LATE_MS;
  const callAt = isUsable ? bookedAt : await reserve({ account, endpoint }, deps);
  if (callAt > deps.clock.now()) throw new Deferral('rate_limit', callAt, { endpoint, at: callAt });
  return accessToken;
}

/**
 * Takes the call that was reserved for a job earlier. The token comes first: one that has to be renewed would make the
 * call late against its reservation.
 * @returns the token, and whether there was such a call that is not too late to be made
 * @throws Deferral until the reserved time
 */
export async function takeBookedCall(
  job: OwnedJob,
  endpoint: QuotaEndpoint,
  { tokens, clock }: Needs<'clock' | 'tokens'>,
): Promise<{ readonly accessToken: string; readonly isReserved: boolean }> {
  const { account, bookedSlot } = job.record;
  const accessToken = await tokens.accessToken(account);
  if (bookedSlot?.endpoint !== endpoint) return { accessToken, isReserved: false };
  const lateMs = clock.now() - bookedSlot.at;
  // Woken early, it keeps waiting: a second reservation would waste this one.
  if (lateMs < -RESERVATION_EARLY_MS) throw new Deferral('rate_limit', bookedSlot.at, bookedSlot);
  if (lateMs > RESERVATION_LATE_MS) return { accessToken, isReserved: false };
  await job.commit({ cause: { event: 'reservation_used', endpoint }, patch: { bookedSlot: undefined } });
  return { accessToken, isReserved: true };
}

/** @returns when the call may be made */
async function reserve(
  call: { readonly account: string; readonly endpoint: QuotaEndpoint },
  { reservations }: Needs<'reservations'>,
): Promise<number> {
  const { waitMs, callAt } = await reservations.reserve({ ...call, ...TIKTOK_QUOTAS[call.endpoint] });
  return waitMs > 0 ? callAt : 0;
}

/**
 * Calls TikTok with the account's token, with a reservation that was taken; after a 429 the quota is held.
 * @param deps.accessToken the token that was read before the reservation
 */
export async function callWithReservation<T>(
  { record: { account } }: OwnedJob,
  endpoint: QuotaEndpoint,
  deps: QuotaCallDeps & { readonly accessToken: string },
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  // Not around the renewal of a token, which has a limit of its own.
  return await callWithToken(account, deps, (accessToken) =>
    holdQuotaOnRefusal({ account, endpoint }, deps, () => call(accessToken)),
  );
}

/** Token, then quota, then the call. @throws Deferral, see `takeReservation` */
export async function callWithinQuota<T>(
  job: OwnedJob,
  endpoint: QuotaEndpoint,
  deps: QuotaCallDeps,
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  const accessToken = await takeReservation(job, endpoint, deps);
  return await callWithReservation(job, endpoint, { ...deps, accessToken }, call);
}

/** Asks TikTok what became of the job's publish_id, within the account's quota. */
export async function askStatus(job: OwnedJob, deps: QuotaCallDeps & Needs<'tiktok'>): Promise<StatusAnswer> {
  const publishId = publishIdToAskAbout(job);
  return await callWithinQuota(job, 'status', deps, (accessToken) =>
    deps.tiktok.fetchStatus({ publishId }, { accessToken }),
  );
}

/** Asks TikTok to stop the download of a pull; what comes of it shows in its status. @returns whether TikTok agreed */
export async function askToStopPull(job: OwnedJob, deps: Needs<'tiktok' | 'tokens'>): Promise<boolean> {
  const publishId = publishIdToAskAbout(job);
  try {
    await callWithToken(job.record.account, deps, (accessToken) =>
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
