import { PublishError } from './publish-error.ts';
import type { PublishRequest } from './publish-request.ts';
import { MINUTE_MS } from './units.ts';

/** A time further back than this (ms) is a mistake, and not a clock that is a little off. */
const MAX_PAST_MS = 10 * MINUTE_MS;

/**
 * The refusal of a request whose time was over when it was accepted. One that waited since then is late, not wrong.
 * @param acceptedAt ms since the epoch
 */
export function refusalOfTime(
  { scheduledAt, notAfter }: Pick<PublishRequest, 'scheduledAt' | 'notAfter'>,
  acceptedAt: number,
): PublishError | undefined {
  const was = `it was ${new Date(acceptedAt).toISOString()}`;
  if (scheduledAt !== undefined && Date.parse(scheduledAt) < acceptedAt - MAX_PAST_MS) {
    const message = `expected a time that is at most 10 minutes ago, got ${scheduledAt}; ${was}`;
    return new PublishError('INPUT_SCHEDULED_IN_PAST', { problems: [{ path: 'scheduledAt', message }] });
  }
  if (notAfter !== undefined && Date.parse(notAfter) <= acceptedAt) {
    const message = `expected a time that is to come, got ${notAfter}; ${was}`;
    return new PublishError('INPUT_INVALID', { problems: [{ path: 'notAfter', message }] });
  }
  return undefined;
}
