import type { PublishError } from './publish-error.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from './units.ts';

/**
 * How long `Retry-After` (RFC 9110 section 10.2.3: seconds or an HTTP date) asks to wait, at most a day (ms).
 * @returns undefined when it is absent or says nothing
 */
export function parseRetryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * SECOND_MS : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), DAY_MS);
}

/** When what was refused may be asked for again; at once where the error names no time. */
export function refusedUntil({ row, details }: PublishError, now: number): number {
  if (row.verdict !== 'wait') return now;
  return now + Math.max(details.retryAfterMs ?? 0, row.waitMs ?? MINUTE_MS);
}
