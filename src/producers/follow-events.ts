import { orAbort } from '../core/deadline.ts';
import { BEFORE_ALL_EVENTS, isBefore, OLDEST_EVENT, parseEventCursor } from '../core/event-cursor.ts';
import { PublishError } from '../core/publish-error.ts';
import { subjectsOf } from '../core/publish-event.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { createWakeSignal } from '../core/wake-signal.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { unlessRedisIsAway, withRedisErrors } from '../redis/redis-unavailable.ts';
import { type EventLook, type EventLooks, refuseIfDropped, type StreamPosition } from './event-looks.ts';
import type { EventTail, TailNews } from './event-tail.ts';
import type { EventEntry, EventFeed, EventsOptions } from './publisher.ts';

const RETRY_MS = SECOND_MS / 2;

export interface FollowDeps {
  readonly tail: EventTail;
  readonly looks: EventLooks;
  /** The connection for short commands, shared by all calls. */
  readonly connect: () => Promise<RedisClient>;
  readonly eventsKey: string;
  /** When a job was made (ms since the epoch); undefined for what is no job. */
  readonly createdAt: (id: string) => Promise<number | undefined>;
}

/**
 * Yields the events after a position, and those to come as they happen, until the signal, `return()` or the end of the
 * publisher. It looks through the stream, with all feeds at the same place; the tail only says when that is worth it.
 */
export function followEvents({ after, subject, signal }: EventsOptions, deps: FollowDeps): EventFeed {
  const { tail, looks } = deps;
  const wakeSignal = createWakeSignal();
  const end = new AbortController();
  let position: StreamPosition | undefined;
  let isIdle = false;
  /** When the tail told something last. */
  let heardAt = 0;
  /** What it has told that was not yet there to be read. */
  let heard: { readonly from: string; readonly to: string; readonly ours: string | undefined } | undefined;

  /** Of the last page, what `next()` has not given out yet. */
  let rest: EventEntry[] = [];
  let given: string | undefined;

  let stopListening: (() => void) | undefined;

  /** Leaves nothing behind, also where nobody reads on: a generator that rests at an event does not come to its end. */
  function stop(): void {
    stopListening?.();
    stopListening = undefined;
    signal?.removeEventListener('abort', stop);
    end.abort();
    wakeSignal.notify();
  }

  function hear(news?: TailNews): void {
    if (tail.isClosed()) stop();
    heardAt = looks.moment();
    if (news === undefined) {
      looks.forgetAll();
      wakeSignal.notify();
      return;
    }
    const { from, to, about } = news;
    const ours = subject === undefined ? to : about.get(subject);
    heard = { from: heard?.from ?? from, to, ours: ours ?? heard?.ours };
    if (isIdle) weighHeard();
  }

  /** Looks at what was heard, unless a look has been there or it is about others. */
  function weighHeard(): void {
    if (heard === undefined || position === undefined) return;
    const { from, to, ours } = heard;
    const isNew = isBefore(position.cursor, to);
    const isOurs = ours !== undefined && isBefore(position.cursor, ours);
    if (isOurs || (isNew && isBefore(position.cursor, from))) {
      wakeSignal.notify();
      return;
    }
    if (isNew) position = { cursor: to, isEntry: true };
    heard = undefined;
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

  /** What comes next; undefined while Redis is away, and then it looks again in a moment. */
  async function look(from: StreamPosition): Promise<EventLook | undefined> {
    const found = await unlessRedisIsAway(() => looks.after(from, heardAt));
    if (found === undefined) setTimeout(wakeSignal.notify, RETRY_MS);
    return found;
  }

  function listen(): () => void {
    const [unlisten, leave] = [tail.listen(hear), looks.join()];
    // What was read before was read before the tail could tell us.
    heardAt = looks.moment();
    return () => {
      unlisten();
      leave();
    };
  }

  function isOurs({ event }: EventEntry): boolean {
    return subject === undefined || subjectsOf(event).includes(subject);
  }

  async function* followPages(): AsyncGenerator<readonly EventEntry[], void, void> {
    if (end.signal.aborted) return;
    stopListening = listen();
    try {
      await unlessEnded(started);
      while (!end.signal.aborted && !tail.isClosed() && position !== undefined) {
        const found = await unlessEnded(look(position));
        if (end.signal.aborted) return;
        if (found?.to !== undefined) position = { cursor: found.to, isEntry: true };
        const page = subject === undefined ? found?.page : found?.page.filter(isOurs);
        if (page !== undefined && page.length > 0) yield page;
        if (found?.isFull) continue;
        // While Redis is away, what was told waits for the next look as well: weighed here, it would ask for one at once.
        if (found !== undefined) {
          // All that was told before was there to be read.
          if (found.begunAt > heardAt) heard = undefined;
          isIdle = true;
          weighHeard();
        }
        await wakeSignal.wait();
        isIdle = false;
      }
    } finally {
      stop();
    }
  }

  const pages = followPages();

  async function* follow(): AsyncGenerator<EventEntry, void, void> {
    for (;;) {
      if (end.signal.aborted) return;
      const entry = rest.shift();
      if (entry === undefined) {
        const { done, value } = await pages.next();
        if (done === true) return;
        // A copy: the page is that of other feeds too.
        rest = [...value];
      } else {
        given = entry.cursor;
        yield entry;
      }
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
      if (rest.length > 0) return given ?? OLDEST_EVENT;
      return position?.isEntry ? position.cursor : OLDEST_EVENT;
    },
    next: () => events.next(),
    async nextPage() {
      const page = rest;
      rest = [];
      return page.length > 0 ? page : ((await pages.next()).value ?? []);
    },
    return: async () => {
      stop();
      await pages.return();
      return await events.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await feed.return()),
  };
  return feed;
}

/** How far the clock of the process that made a job may be ahead of Redis's, which dates the events (ms). */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

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

function checkSubject(subject: unknown): void {
  if (subject === undefined || (typeof subject === 'string' && subject !== '')) return;
  const problems = [{ path: 'subject', message: 'expected a job id or an account name' }];
  throw new PublishError('INPUT_INVALID', { problems });
}
