import type { NextRetry } from './retry-policy.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './units.ts';

export interface CallbackSchedule {
  /** The pause after the first failed delivery, after the second, and so on; the last failure ends it. */
  readonly delaysMs: readonly number[];
  /** Failures in a row after which an endpoint may be paused. */
  readonly pauseAfterFailures: number;
  /** How long the row must have lasted for that. */
  readonly pauseAfterMs: number;
  /** How often a paused endpoint is tried with one delivery. */
  readonly probeEveryMs: number;
}

/** Eleven deliveries within about a day; an endpoint that failed 20 times in a row, for an hour or longer, is paused. */
export const ELEVEN_TRIES_IN_A_DAY: CallbackSchedule = {
  delaysMs: [
    ...[5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS],
    ...[HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS],
  ],
  pauseAfterFailures: 20,
  pauseAfterMs: HOUR_MS,
  probeEveryMs: 10 * MINUTE_MS,
};

/** How long the order of deliveries is kept after the last event: it matters only while they are tried, which is far shorter. */
export const LINE_KEPT_MS = 30 * DAY_MS;

/** Each pause is between 80 and 120 % of its length, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * Decides about the next delivery of an event, never before the time that Retry-After named.
 *
 * @param attempt how many deliveries have failed so far, this one included; from 1
 * @param chance `random` gives numbers from 0 to 1
 */
export function nextDelivery(
  attempt: number,
  chance: { readonly random: () => number; readonly retryAfterMs?: number | undefined },
  { delaysMs }: Pick<CallbackSchedule, 'delaysMs'> = ELEVEN_TRIES_IN_A_DAY,
): NextRetry {
  const pauseMs = delaysMs[attempt - 1];
  if (pauseMs === undefined) return { kind: 'give_up' };
  const jitteredMs = Math.round(pauseMs * (1 - JITTER + 2 * JITTER * chance.random()));
  return { kind: 'retry', delayMs: Math.max(jitteredMs, chance.retryAfterMs ?? 0) };
}

/** Whether an endpoint has failed so often and for so long that its deliveries should wait. */
export function shouldPause(
  row: { readonly failures: number; readonly firstFailureAt: number },
  now: number,
  { pauseAfterFailures, pauseAfterMs }: CallbackSchedule = ELEVEN_TRIES_IN_A_DAY,
): boolean {
  return row.failures >= pauseAfterFailures && now - row.firstFailureAt >= pauseAfterMs;
}

/** A callback URL as it may be shown: origin and path. Its query may hold a token. */
export function endpointOf(callbackUrl: string): string {
  const { origin, pathname } = new URL(callbackUrl);
  return `${origin}${pathname}`;
}
