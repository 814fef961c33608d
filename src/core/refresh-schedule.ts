import { MINUTE_MS } from './units.ts';

/** No token is replaced later than this before its end (ms), if it lives long enough: TikTok may be away for a while. */
const LEAST_AHEAD_MS = 5 * MINUTE_MS;
/** Share of its life that a short-lived token is replaced before its end at the latest, and that the jitter spreads over. */
const SHARE = 1 / 4;

/** How long a token lives. Ms since the epoch. */
export interface TokenLife {
  /** Undefined: stored by a version that did not note it. */
  readonly grantedAt: number | undefined;
  readonly expiresAt: number;
}

/**
 * When a token is to be replaced: by its real lifetime, not a hard-coded one (developers.tiktok.com/doc/
 * oauth-user-access-token-management, read 2026-11-22), in its second half and at the latest five minutes or a quarter of
 * its life before its end, whichever is shorter.
 *
 * @param random from 0 to 1 and the same for each question about one token: spreads tokens that were granted together
 * over a quarter of their life
 * @returns ms since the epoch
 * @example
 * refreshDueAt({ grantedAt: 0, expiresAt: 7_200_000 }, 0) // 6_900_000, five minutes before the end of two hours
 */
export function refreshDueAt({ grantedAt, expiresAt }: TokenLife, random: number): number {
  if (grantedAt === undefined) return expiresAt - LEAST_AHEAD_MS;
  const quarterMs = Math.max(0, expiresAt - grantedAt) * SHARE;
  return expiresAt - Math.min(LEAST_AHEAD_MS, quarterMs) - random * quarterMs;
}
