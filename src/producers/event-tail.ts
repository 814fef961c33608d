import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Longest block of one read; also how often a waiter looks at its job by itself. */
const BLOCK_MS = 5 * SECOND_MS;
const RECONNECT_DELAY_MS = 500;
const READ_COUNT = 500;

export interface EventTailOptions {
  /** Opens a connection of its own: a blocking read would hold up every other call on it. */
  readonly connectBlocking: () => Promise<RedisClient>;
  readonly eventsKey: string;
}

export type EventTail = ReturnType<typeof createEventTail>;

/** Follows the events stream while somebody waits; all waiters of a process share one blocking read. */
export function createEventTail({ connectBlocking, eventsKey }: EventTailOptions) {
  const emitter = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  let connection: RedisClient | undefined;
  let following: Promise<void> | undefined;

  /** Who waits; `events.once` also listens for `error`, which is no job. */
  const awaited = (): (string | symbol)[] => emitter.eventNames().filter((name) => name !== 'error');
  const tellAll = (): void => {
    for (const name of awaited()) emitter.emit(name);
  };

  /** Reads the next events and tells their subjects. @returns the new position in the stream */
  async function readOn(redis: RedisClient, position: string | undefined): Promise<string> {
    if (position === undefined) {
      const [last] = await redis.xrevrange(eventsKey, '+', '-', 'COUNT', 1);
      // What happened before this moment is seen by the waiters' own look at their jobs.
      tellAll();
      return last?.[0] ?? '0-0';
    }
    const answer = await redis.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', eventsKey, position);
    const entries = answer?.[0]?.[1] ?? [];
    for (const [, fields] of entries) emitter.emit(fields[fields.indexOf('subject') + 1] ?? '');
    if (entries.length === 0) tellAll();
    return entries.at(-1)?.[0] ?? position;
  }

  async function follow(): Promise<void> {
    let position: string | undefined;
    while (awaited().length > 0 && !closing.signal.aborted) {
      try {
        connection ??= await connectBlocking();
        if (closing.signal.aborted) break;
        position = await readOn(connection, position);
      } catch {
        connection?.disconnect();
        connection = undefined;
        await sleep(RECONNECT_DELAY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
        tellAll();
      }
    }
    following = undefined;
  }

  return {
    /**
     * Resolves when a job may have changed: at an event of it, and every few seconds in any case.
     * Rejects with an AbortError when the signal or the tail ends.
     */
    async news(id: string, signal: AbortSignal): Promise<void> {
      const changed = once(emitter, id, { signal: AbortSignal.any([signal, closing.signal]) });
      following ??= follow();
      await changed;
    },

    async close(): Promise<void> {
      closing.abort();
      connection?.disconnect();
      await following;
      // It may have been opened while we were waiting.
      connection?.disconnect();
    },
  };
}
