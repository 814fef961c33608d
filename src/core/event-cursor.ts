import { PublishError } from './publish-error.ts';

/** The place before the oldest event that is kept: `after` of `events()` to begin there. */
export const OLDEST_EVENT = '0';

/**
 * The same place as an id of a Redis stream.
 * https://redis.io/docs/latest/commands/xadd: "each ID is composed of two 64-bit numbers", read 2026-11-22.
 */
export const BEFORE_ALL_EVENTS = '0-0';

/** The last instant that a date can be (ms since the epoch). */
const LAST_INSTANT = 8_640_000_000_000_000;

/**
 * Reads a place among the events, as `events()` gives it out.
 *
 * @throws PublishError `INPUT_INVALID`, naming `after`
 * @example parseEventCursor('0') // '0-0'
 * @example parseEventCursor('1763830000000-2') // '1763830000000-2'
 */
export function parseEventCursor(after: unknown): string {
  if (after === OLDEST_EVENT) return BEFORE_ALL_EVENTS;
  const parts = typeof after === 'string' ? /^(\d{1,16})-(\d{1,16})$/.exec(after) : null;
  const [milliseconds, sequence] = [Number(parts?.[1]), Number(parts?.[2])];
  if (milliseconds <= LAST_INSTANT && Number.isSafeInteger(sequence)) return `${milliseconds}-${sequence}`;
  const message = `expected the cursor of an event, or "${OLDEST_EVENT}" for all stored events`;
  throw new PublishError('INPUT_INVALID', { problems: [{ path: 'after', message }] });
}

/**
 * Refuses a place of which events may be gone: it is before the oldest event that is kept, or none is.
 * @throws PublishError `EVENTS_CURSOR_LOST`
 */
export function refuseLostCursor(cursor: string, oldest: string | undefined): void {
  if (cursor === BEFORE_ALL_EVENTS || (oldest !== undefined && !isBefore(cursor, oldest))) return;
  const since = `since ${timeOf(cursor)} (cursor ${cursor})`;
  const lost = oldest === undefined ? 'all events' : `events before ${timeOf(oldest)} (cursor ${oldest})`;
  throw new PublishError('EVENTS_CURSOR_LOST', {
    reason: `${lost} ${since} were deleted, possibly unread; to start at the oldest stored event, use after "${OLDEST_EVENT}"`,
  });
}

function timeOf(cursor: string): string {
  return new Date(Number(cursor.split('-')[0])).toISOString();
}

/** Whether the place `cursor` comes before the place `other`; both in the long form. */
export function isBefore(cursor: string, other: string): boolean {
  const [milliseconds = 0, sequence = 0] = cursor.split('-').map(Number);
  const [otherMilliseconds = 0, otherSequence = 0] = other.split('-').map(Number);
  return milliseconds < otherMilliseconds || (milliseconds === otherMilliseconds && sequence < otherSequence);
}
