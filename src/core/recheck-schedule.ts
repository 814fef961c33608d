import type { PublishRequest } from './publish-request.ts';
import type { PublishState } from './publish-state.ts';
import { publishIdOf, type Session } from './session.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './units.ts';

/**
 * What a finished job is still watched for: a public post gets its id once moderation is through (minutes to hours),
 * a draft is posted by a person (minutes to never), an unconfirmed post may still be answered for.
 */
const FIRST_DELAY_MS = MINUTE_MS;
const FACTOR = 2;
const LONGEST_DELAY_MS = 6 * HOUR_MS;
/** TikTok keeps no promise beyond this; drafts are said to be dropped after a day. */
const WATCH_FOR_MS = 3 * DAY_MS;

/** Whether a later answer could still tell something new. */
export function isWorthRechecking(job: {
  readonly state: PublishState;
  readonly session: Session;
  readonly postIds: readonly string[];
  readonly isPublic: boolean;
}): boolean {
  if (publishIdOf(job.session) === undefined) return false;
  if (job.state === 'published') return job.isPublic && job.postIds.length === 0;
  return job.state === 'in_inbox' || job.state === 'unconfirmed';
}

/** Whether a post may be seen by everybody; of a draft only its creator knows. */
export function mayBePublic({ mode, post }: Pick<PublishRequest, 'mode' | 'post'>): boolean {
  return mode === 'inbox' || post?.privacyLevel === 'PUBLIC_TO_EVERYONE';
}

/** The time until the next look (ms). @returns undefined when the watch is over */
export function nextRecheckDelayMs(
  endedForMs: number,
  rechecksDone: number,
  { random }: { random: () => number },
): number | undefined {
  if (endedForMs >= WATCH_FOR_MS) return undefined;
  const delayMs = Math.min(FIRST_DELAY_MS * FACTOR ** rechecksDone, LONGEST_DELAY_MS);
  return Math.round(delayMs * (1 + 0.2 * random()));
}
