import { orAbort } from '../core/deadline.ts';
import { OLDEST_EVENT } from '../core/event-cursor.ts';
import { PublishError } from '../core/publish-error.ts';
import { decodeEvent, type StreamEntry, subjectsOf } from '../core/publish-event.ts';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import type { EventTail, TailNews } from './event-tail.ts';
import type { EventEntry, EventFeed, EventsOptions } from './publisher.ts';
import { findEventStart, LOOK_COUNT, readEventsAfter, type StreamPosition } from './stream-position.ts';
import { createWakeSignal } from './wake-signal.ts';

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

  function stop(): void {
    signal?.removeEventListener('abort', stop);
    end.abort();
    wakeSignal.notify();
  }

  function hear(news?: TailNews): void {
    if (tail.isClosed()) stop();
    const isNothing = isIdle && subject !== undefined && news?.from === position?.cursor && !news?.about.has(subject);
    if (isNothing && news !== undefined) position = { cursor: news.to, isEntry: true };
    else wakeSignal.notify();
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

  /** The next entries; none while Redis is away, which rings again in a moment. */
  async function look(from: StreamPosition): Promise<readonly StreamEntry[]> {
    try {
      return await readEventsAfter(await deps.connect(), eventsKey, from);
    } catch (error) {
      if (error instanceof PublishError && error.code !== 'REDIS_UNAVAILABLE') throw error;
      setTimeout(wakeSignal.notify, RETRY_MS);
      return [];
    }
  }

  async function* follow(): AsyncGenerator<EventEntry, void, void> {
    const stopListening = tail.listen(hear);
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
        isIdle = entries.length < LOOK_COUNT;
        if (isIdle) await wakeSignal.wait();
        isIdle = false;
      }
    } finally {
      stopListening();
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
  return {
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
  };
}
