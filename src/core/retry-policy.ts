import { MINUTE_MS, SECOND_MS } from './units.ts';

/** How often and how far apart a job is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  /** Upper bound of the delay after the first failure. */
  readonly baseMs: number;
  /** Growth of that bound from failure to failure. */
  readonly factor: number;
  /** Largest bound. */
  readonly maxMs: number;
}

/** 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 30 min: at most about an hour in all. */
export const EIGHT_TRIES_IN_AN_HOUR: RetryPolicy = {
  maxAttempts: 8,
  baseMs: 5 * SECOND_MS,
  factor: 3,
  maxMs: 30 * MINUTE_MS,
};

/** Whether to try again, and when. */
export type NextRetry = { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'give_up' };

/**
 * Decides about the next attempt: exponential backoff with full jitter, never before the time an answer named.
 *
 * @param attempt how many attempts have failed so far, this one included; from 1
 * @param chance `random` gives numbers from 0 to 1
 */
export function nextRetry(
  attempt: number,
  chance: { readonly random: () => number; readonly retryAfterMs?: number | undefined },
  policy: RetryPolicy = EIGHT_TRIES_IN_AN_HOUR,
): NextRetry {
  if (attempt >= policy.maxAttempts) return { kind: 'give_up' };
  const boundMs = Math.min(policy.baseMs * policy.factor ** (attempt - 1), policy.maxMs);
  const backoffMs = Math.round(chance.random() * boundMs);
  return { kind: 'retry', delayMs: Math.max(backoffMs, chance.retryAfterMs ?? 0) };
}
