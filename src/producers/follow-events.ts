import { OLDEST_EVENT } from '../core/event-cursor.ts';
import { PublishError } from '../core/publish-error.ts';
import { decodeEvent, type StreamEntry, subjectsOf } from '../core/publish-event.ts';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { tellingOfRedis } from '../redis/redis-unavailable.ts';
import { createBell } from './bell.ts';
import { type EventPlace, findEventStart, LOOK_COUNT, lookFurther } from './event-place.ts';
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
 * Yields the events after a place, and those to come as they happen, until the signal, `return()` or the end of the
 * publisher. It looks through the stream by itself; the tail only says when that is worth it.
 */
export function followEvents({ after, subject, signal }: EventsOptions, deps: FollowDeps): EventFeed {
  const { tail, eventsKey } = deps;
  const bell = createBell();
  const end = new AbortController();
  let place: EventPlace | undefined;
  let isIdle = false;

  function stop(): void {
    signal?.removeEventListener('abort', stop);
    end.abort();
    bell.ring();
  }

  function hear(news?: TailNews): void {
    if (tail.isClosed()) stop();
    const isNothing = isIdle && subject !== undefined && news?.from === place?.cursor && !news?.about.has(subject);
    if (isNothing && news !== undefined) place = { cursor: news.to, isEntry: true };
    else bell.ring();
  }

  /** The answer, or undefined if the end comes first. */
  function unlessEnded<T>(asking: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const letGo = (): void => resolve(undefined);
      end.signal.addEventListener('abort', letGo);
      asking.then(resolve, reject).finally(() => end.signal.removeEventListener('abort', letGo));
      if (end.signal.aborted) letGo();
    });
  }

  /** The next entries; none while Redis is away, which rings again in a moment. */
  async function look(from: EventPlace): Promise<readonly StreamEntry[]> {
    try {
      return await lookFurther(await deps.connect(), eventsKey, from);
    } catch (error) {
      if (error instanceof PublishError && error.code !== 'REDIS_UNAVAILABLE') throw error;
      setTimeout(bell.ring, RETRY_MS);
      return [];
    }
  }

  async function* follow(): AsyncGenerator<EventEntry, void, void> {
    const stopListening = tail.listen(hear);
    try {
      await unlessEnded(started);
      while (!end.signal.aborted && !tail.isClosed() && place !== undefined) {
        const entries: readonly StreamEntry[] = (await unlessEnded(look(place))) ?? [];
        for (const entry of entries) {
          if (end.signal.aborted) return;
          place = { cursor: entry[0], isEntry: true };
          const event = decodeEvent(entry[1]);
          if (event === undefined || (subject !== undefined && !subjectsOf(event).includes(subject))) continue;
          yield { cursor: entry[0], event };
        }
        isIdle = entries.length < LOOK_COUNT;
        if (isIdle) await bell.rang();
        isIdle = false;
      }
    } finally {
      stopListening();
      stop();
    }
  }

  const started = tellingOfRedis(() => findEventStart({ after, subject }, deps)).then((start) => {
    place = start;
  });
  // Whoever does not ask for it meets the error at the first `next()`.
  started.catch(() => undefined);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  const events = follow();
  return {
    started,
    get cursor() {
      return place?.isEntry ? place.cursor : OLDEST_EVENT;
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
