import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { Slots } from './slots.ts';
import { type QuotaEndpoint, TIKTOK_QUOTAS } from './tiktok-quotas.ts';

/**
 * Makes a call that TikTok limits. After a 429 nothing more is booked for this account and endpoint until TikTok's
 * pause is over; whoever called decides what becomes of its job.
 */
export async function holdQuotaOnRefusal<T>(
  { account, endpoint }: { readonly account: string; readonly endpoint: QuotaEndpoint },
  { slots, clock }: { readonly slots: Pick<Slots, 'push'>; readonly clock: Clock },
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError && error.code === 'TIKTOK_RATE_LIMITED') {
      const notBeforeAt = clock.now() + Math.max(error.row.waitMs ?? MINUTE_MS, error.details.retryAfterMs ?? 0);
      // Should Redis be away, TikTok's answer still counts.
      await slots.push({ account, endpoint, ...TIKTOK_QUOTAS[endpoint], notBeforeAt }).catch(() => undefined);
    }
    throw error;
  }
}
