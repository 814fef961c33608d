import { orAbort } from '../core/deadline.ts';
import { BEFORE_ALL_EVENTS, isBefore, OLDEST_EVENT, parseEventCursor, refuseLostCursor } from '../core/event-cursor.ts';
import { PublishError } from '../core/publish-error.ts';
import { decodeEvent, type StreamEntry, subjectsOf } from '../core/publish-event.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { createWakeSignal } from '../core/wake-signal.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { unlessRedisIsAway, withRedisErrors } from '../redis/redis-unavailable.ts';
import type { EventTail, TailNews } from './event-tail.ts';
import type { EventEntry, EventFeed, EventsOptions } from './publisher.ts';

const RETRY_MS = SECOND_MS / 2;

export interface FollowDeps {
  readonly tail: EventTail;
  /** The connection for looks, shared by all calls. */
  readonly connect: () => Promise<RedisClient>;
  readonly eventsKey: string;
  /** When a job was made (ms since the epoch); undefined for what is no job. */
  readonly createdAt: (id: string) => Promise<number | undefined>;
}

/**
 * Yields the events after a position, and those to come as they happen, until the signal, `return()` or the end of the
 * publisher. It looks through the stream by itself; the tail only says when that is worth it.
 */
export function followEvents({ after, subject, signal }: EventsOptions, deps: FollowDeps): EventFeed {
  const { tail, eventsKey } = deps;
  const wakeSignal = createWakeSignal();
  const end = new AbortController();
  let position: StreamPosition | undefined;
  let isIdle = false;
  /** What the tail has told since it was last weighed. */
  let heard: { readonly from: string; readonly to: string; readonly isOurs: boolean } | undefined;

  let stopListening: (() => void) | undefined;

  /** Leaves nothing behind, also where nobody reads on: a generator that rests at an event does not come to its end. */
  function stop(): void {
    stopListening?.();
    signal?.removeEventListener('abort', stop);
    end.abort();
    wakeSignal.notify();
  }

  function hear(news?: TailNews): void {
    if (tail.isClosed()) stop();
    if (news === undefined) {
      wakeSignal.notify();
      return;
    }
    const { from, to, about } = news;
    const isOurs = subject === undefined || about.has(subject);
    heard = { from: heard?.from ?? from, to, isOurs: isOurs || heard?.isOurs === true };
    if (isIdle) weighHeard();
  }

  /** Looks at what was heard, unless a look has been there or it is about others. */
  function weighHeard(): void {
    if (heard === undefined || position === undefined) return;
    const { from, to, isOurs } = heard;
    heard = undefined;
    if (!isBefore(position.cursor, to)) return;
    if (isOurs || isBefore(position.cursor, from)) wakeSignal.notify();
    else position = { cursor: to, isEntry: true };
  }

  /** The answer, or undefined if the end comes first. */
  async function unlessEnded<T>(asking: Promise<T>): Promise<T | undefined> {
    try {
      return await orAbort(asking, end.signal);
    } catch (error) {
      if (end.signal.aborted) return undefined;
      throw error;
    }
  }

  /** The next entries; none while Redis is away, and then it looks again in a moment. */
  async function look(from: StreamPosition): Promise<readonly StreamEntry[]> {
    const entries = await unlessRedisIsAway(async () => await readEventsAfter(await deps.connect(), eventsKey, from));
    if (entries === undefined) setTimeout(wakeSignal.notify, RETRY_MS);
    return entries ?? [];
  }

  async function* follow(): AsyncGenerator<EventEntry, void, void> {
    if (end.signal.aborted) return;
    stopListening = tail.listen(hear);
    try {
      await unlessEnded(started);
      while (!end.signal.aborted && !tail.isClosed() && position !== undefined) {
        const entries: readonly StreamEntry[] = (await unlessEnded(look(position))) ?? [];
        for (const entry of entries) {
          if (end.signal.aborted) return;
          position = { cursor: entry[0], isEntry: true };
          const event = decodeEvent(entry[1]);
          if (event === undefined || (subject !== undefined && !subjectsOf(event).includes(subject))) continue;
          yield { cursor: entry[0], event };
        }
        if (entries.length === LOOK_COUNT) continue;
        isIdle = true;
        weighHeard();
        await wakeSignal.wait();
        isIdle = false;
      }
    } finally {
      stop();
    }
  }

  const started = withRedisErrors(() => findEventStart({ after, subject }, deps)).then((start) => {
    position = start;
  });
  // The first `next()` reports the error.
  started.catch(() => undefined);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  const events = follow();
  const feed: EventFeed = {
    started,
    get cursor() {
      return position?.isEntry ? position.cursor : OLDEST_EVENT;
    },
    next: () => events.next(),
    return: async () => {
      stop();
      return await events.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await feed.return()),
  };
  return feed;
}

/** Most entries of one look. */
const LOOK_COUNT = 500;
/** How far the clock of the process that made a job may be ahead of Redis's, which dates the events (ms). */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/** How far the stream of events has been looked through. */
interface StreamPosition {
  readonly cursor: string;
  /** An entry of this id was on the stream: if it is gone, others may be gone with it. Otherwise the first to look at. */
  readonly isEntry: boolean;
}

interface StartDeps {
  readonly connect: () => Promise<RedisClient>;
  readonly eventsKey: string;
  readonly createdAt: (id: string) => Promise<number | undefined>;
}

/**
 * Where a feed begins: after the cursor, or after what has happened so far.
 * @throws PublishError `INPUT_INVALID`, `EVENTS_CURSOR_LOST`
 */
async function findEventStart(
  { after, subject }: Pick<EventsOptions, 'after' | 'subject'>,
  { connect, eventsKey, createdAt }: StartDeps,
): Promise<StreamPosition> {
  checkSubject(subject);
  const cursor = after === undefined ? undefined : parseEventCursor(after);
  const redis = await connect();
  if (cursor === undefined) {
    const [last] = await redis.xrevrange(eventsKey, '+', '-', 'COUNT', 1);
    return { cursor: last?.[0] ?? BEFORE_ALL_EVENTS, isEntry: last !== undefined };
  }
  if (cursor !== BEFORE_ALL_EVENTS) {
    await refuseIfDropped(redis, eventsKey, cursor);
    return { cursor, isEntry: true };
  }
  // The stream is sorted by time, so a job's own history need not be looked for before it was made.
  const bornAt = subject === undefined ? undefined : await createdAt(subject);
  return { cursor: bornAt === undefined ? cursor : `${Math.max(0, bornAt - CLOCK_SKEW_MS)}-0`, isEntry: false };
}

/**
 * The next entries after a place, oldest first, at most {@link LOOK_COUNT}.
 * @throws PublishError `EVENTS_CURSOR_LOST` if entries after the place were dropped before this look
 */
async function readEventsAfter(
  redis: RedisClient,
  eventsKey: string,
  { cursor, isEntry }: StreamPosition,
): Promise<readonly StreamEntry[]> {
  const entries = await redis.xrange(eventsKey, cursor, '+', 'COUNT', LOOK_COUNT + (isEntry ? 1 : 0));
  if (!isEntry) return entries;
  // While the entry that was read last is there, nothing behind it has been dropped: Redis drops the oldest.
  if (entries[0]?.[0] === cursor) return entries.slice(1);
  await refuseIfDropped(redis, eventsKey, cursor);
  return entries.slice(0, LOOK_COUNT);
}

async function refuseIfDropped(redis: RedisClient, eventsKey: string, cursor: string): Promise<void> {
  const [oldest] = await redis.xrange(eventsKey, '-', '+', 'COUNT', 1);
  refuseLostCursor(cursor, oldest?.[0]);
}

function checkSubject(subject: unknown): void {
  if (subject === undefined || (typeof subject === 'string' && subject !== '')) return;
  const problems = [{ path: 'subject', message: 'expected a job id or an account name' }];
  throw new PublishError('INPUT_INVALID', { problems });
}
