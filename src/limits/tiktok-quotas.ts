import { MINUTE_MS } from '../core/units.ts';

/** At most `limit` calls in any stretch of `windowMs`. */
export interface Quota {
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * TikTok's limits per user access token, each over a sliding minute
 * (developers.tiktok.com/doc/tiktok-api-v2-rate-limit and the page of each endpoint, read 2026-11-22).
 */
export const TIKTOK_QUOTAS = {
  direct_init: { limit: 6, windowMs: MINUTE_MS },
  inbox_init: { limit: 6, windowMs: MINUTE_MS },
  photo_init: { limit: 6, windowMs: MINUTE_MS },
  creator_info: { limit: 20, windowMs: MINUTE_MS },
  status: { limit: 30, windowMs: MINUTE_MS },
} as const satisfies Record<string, Quota>;

/** "about 15 posts per day" for a creator (developers.tiktok.com/doc/content-sharing-guidelines, read 2026-11-22). */
export const POSTS_A_DAY = 15;

/** An endpoint with a limit of its own. */
export type QuotaEndpoint = keyof typeof TIKTOK_QUOTAS;
