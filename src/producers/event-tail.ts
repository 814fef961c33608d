import { setTimeout as sleep } from 'node:timers/promises';
import { orAbort } from '../core/deadline.ts';
import { BEFORE_ALL_EVENTS } from '../core/event-cursor.ts';
import { decodeEvent, END_EVENTS, type StreamEntry, subjectsOf } from '../core/publish-event.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Longest block of one read. */
const BLOCK_MS = 5 * SECOND_MS;
/**
 * How often listeners are told to look whatever the stream says: after a failover that lost events, a master whose clock
 * is behind begins with ids that come before our position.
 */
const LOOK_ANYWAY_MS = MINUTE_MS;
const RECONNECT_DELAY_MS = 500;
const READ_COUNT = 500;

/** A connection of its own, of role `blocking`: a blocking read would hold up every other call on it. */
export interface TailConnection {
  readonly redis: RedisClient;
  close(): Promise<void>;
}

export interface EventTailOptions {
  readonly connect: () => Promise<TailConnection>;
  readonly eventsKey: string;
  /** By default a minute. */
  readonly lookAnywayMs?: number;
}

/** All that happened between two places of the stream. */
export interface TailNews {
  readonly from: string;
  readonly to: string;
  /** The jobs and accounts that events are about, each with the cursor of its last event. */
  readonly about: ReadonlyMap<string, string>;
  /** The jobs that got an outcome. */
  readonly ended: ReadonlySet<string>;
}

/** Called with new events. Without `news`, events may have been missed: read the stream. */
export type TailListener = (news?: TailNews) => void;

export type EventTail = ReturnType<typeof createEventTail>;

/** Follows the events stream while somebody listens; all listeners of a process share one blocking read. */
export function createEventTail({ connect, eventsKey, lookAnywayMs = LOOK_ANYWAY_MS }: EventTailOptions) {
  const listeners = new Set<TailListener>();
  const closing = new AbortController();
  let connection: TailConnection | undefined;
  let following: Promise<void> | undefined;
  let toldToLookAt = 0;

  async function disconnect(): Promise<void> {
    const open = connection;
    connection = undefined;
    await open?.close();
  }

  const tellAll = (news?: TailNews): void => {
    if (news === undefined) toldToLookAt = performance.now();
    for (const listener of listeners) listener(news);
  };

  /** Reads the next events and tells of them. @returns the new position in the stream */
  async function readOn(redis: RedisClient, position: string | undefined): Promise<string> {
    if (position === undefined) {
      const [last] = await orAbort(redis.xrevrange(eventsKey, '+', '-', 'COUNT', 1), closing.signal);
      // What happened before this moment is seen by the listeners' own look.
      tellAll();
      return last?.[0] ?? BEFORE_ALL_EVENTS;
    }
    const entries = await readBlocking(redis, position);
    const to = entries.at(-1)?.[0] ?? position;
    // A full read may have begun behind events that were dropped meanwhile.
    const mayMiss = entries.length === READ_COUNT || performance.now() - toldToLookAt >= lookAnywayMs;
    if (mayMiss) tellAll();
    else if (entries.length > 0) tellAll({ from: position, to, ...subjectsIn(entries) });
    return to;
  }

  async function readBlocking(redis: RedisClient, position: string): Promise<readonly StreamEntry[]> {
    const asking = redis.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', eventsKey, position);
    // A client that is told to stop while it connects again never rejects what it was asked.
    const answer = await orAbort(asking, closing.signal);
    return answer?.[0]?.[1] ?? [];
  }

  async function follow(): Promise<void> {
    let position: string | undefined;
    while (listeners.size > 0 && !closing.signal.aborted) {
      try {
        connection ??= await connect();
        if (closing.signal.aborted) break;
        position = await readOn(connection.redis, position);
      } catch {
        await disconnect();
        await sleep(RECONNECT_DELAY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
        tellAll();
      }
    }
    following = undefined;
  }

  return {
    /**
     * Tells a listener of every event from now on, and to look every minute in any case, until the returned function is
     * called. Told once more when the tail closes.
     */
    listen(listener: TailListener): () => void {
      listeners.add(listener);
      following ??= follow();
      return () => listeners.delete(listener);
    },

    isClosed: (): boolean => closing.signal.aborted,

    async close(): Promise<void> {
      closing.abort();
      tellAll();
      await disconnect();
      await following;
      // It may have been opened while we were waiting.
      await disconnect();
    },
  };
}

const ENDS: ReadonlySet<string> = new Set(Object.values(END_EVENTS));

function subjectsIn(entries: readonly StreamEntry[]): Pick<TailNews, 'about' | 'ended'> {
  const about = new Map<string, string>();
  const ended = new Set<string>();
  for (const [cursor, fields] of entries) {
    const event = decodeEvent(fields);
    if (event === undefined) continue;
    for (const subject of subjectsOf(event)) about.set(subject, cursor);
    if (ENDS.has(event.type)) ended.add(event.subject);
  }
  return { about, ended };
}
