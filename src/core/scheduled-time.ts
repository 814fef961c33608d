import { PublishError } from './publish-error.ts';
import type { PublishRequest } from './publish-request.ts';
import { MINUTE_MS } from './units.ts';

/** A time further back than this (ms) is a mistake, and not a clock that is a little off. */
const MAX_PAST_MS = 10 * MINUTE_MS;

/**
 * The refusal of a request whose time was long over when it was accepted. One that waited since then is late, not wrong.
 * @param acceptedAt ms since the epoch
 */
export function refusalOfTime(
  { scheduledAt }: Pick<PublishRequest, 'scheduledAt'>,
  acceptedAt: number,
): PublishError | undefined {
  if (scheduledAt === undefined || Date.parse(scheduledAt) >= acceptedAt - MAX_PAST_MS) return undefined;
  const message = `expected a time that is at most 10 minutes ago, got ${scheduledAt}; it was ${new Date(acceptedAt).toISOString()}`;
  return new PublishError('INPUT_SCHEDULED_IN_PAST', { problems: [{ path: 'scheduledAt', message }] });
}
