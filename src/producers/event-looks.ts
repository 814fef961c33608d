import { refuseLostCursor } from '../core/event-cursor.ts';
import { decodeEvent, type StreamEntry } from '../core/publish-event.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { EventEntry } from './publisher.ts';

/** Most entries of one look. A reader that takes its time holds no more than these. */
const LOOK_COUNT = 100;
/** So many entries are kept for feeds that come to the same place a little later. */
const KEPT_ENTRIES = 3_000;

/** How far the stream of events has been looked through. */
export interface StreamPosition {
  readonly cursor: string;
  /** An entry of this id was on the stream: if it is gone, others may be gone with it. Otherwise the first to look at. */
  readonly isEntry: boolean;
}

/** What follows a place of the stream. */
export interface EventLook {
  /** One object for all feeds that come to this place, so what is made of it can be shared. */
  readonly page: readonly EventEntry[];
  /** How far it goes; undefined where nothing followed. */
  readonly to: string | undefined;
  /** More may follow. */
  readonly isFull: boolean;
  /** A moment before it was read. */
  readonly begunAt: number;
}

interface Shared {
  readonly begunAt: number;
  readonly look: Promise<EventLook>;
  /** How many entries it found; 0 until it has. */
  size: number;
}

export type EventLooks = ReturnType<typeof createEventLooks>;

/** Reads the stream once for all feeds of a process that come to the same place. */
export function createEventLooks(deps: { readonly connect: () => Promise<RedisClient>; readonly eventsKey: string }) {
  const { connect, eventsKey } = deps;
  const shared = new Map<string, Shared>();
  let feeds = 0;
  let lastMoment = 0;
  let keptEntries = 0;

  const moment = (): number => ++lastMoment;

  async function lookAfter(position: StreamPosition, begunAt: number): Promise<EventLook> {
    const found = await readEventsAfter(await connect(), eventsKey, position);
    const page = found.flatMap(([cursor, fields]) => {
      const event = decodeEvent(fields);
      return event === undefined ? [] : [{ cursor, event }];
    });
    return { page, to: found.at(-1)?.[0], isFull: found.length === LOOK_COUNT, begunAt };
  }

  function forget(cursor: string, look: Shared): void {
    if (shared.get(cursor) !== look) return;
    shared.delete(cursor);
    keptEntries -= look.size;
  }

  /** Keeps what a look found for others, unless there are none. */
  function keep(cursor: string, look: Shared, size: number): void {
    if (shared.get(cursor) !== look) return;
    if (size === 0 || feeds < 2) forget(cursor, look);
    else {
      look.size = size;
      keptEntries += size;
    }
    for (const [oldest, other] of shared) {
      if (keptEntries <= KEPT_ENTRIES) break;
      forget(oldest, other);
    }
  }

  function forgetAll(): void {
    shared.clear();
    keptEntries = 0;
  }

  return {
    /** A number for now, higher than all before. */
    moment,

    /** Adds a feed, until the returned function is called once. */
    join(): () => void {
      feeds += 1;
      return () => {
        feeds -= 1;
        if (feeds < 2) forgetAll();
      };
    },

    /** Forgets what was read: the stream may have become another one. */
    forgetAll,

    /**
     * What follows a place. May be older than `heardAt` where it found something: then more may follow.
     * @throws PublishError `EVENTS_CURSOR_LOST` if entries after the place were dropped before
     */
    async after(position: StreamPosition, heardAt: number): Promise<EventLook> {
      const { cursor } = position;
      if (!position.isEntry) return await lookAfter(position, moment());
      const known = shared.get(cursor);
      if (known !== undefined && (known.size > 0 || known.begunAt > heardAt)) return await known.look;
      const begunAt = moment();
      const fresh: Shared = { begunAt, look: lookAfter(position, begunAt), size: 0 };
      shared.set(cursor, fresh);
      fresh.look.then(
        ({ page }) => keep(cursor, fresh, page.length),
        () => forget(cursor, fresh),
      );
      return await fresh.look;
    },
  };
}

/** The next entries after a place, oldest first, at most {@link LOOK_COUNT}. */
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

/** @throws PublishError `EVENTS_CURSOR_LOST` if entries after the place may be gone */
export async function refuseIfDropped(redis: RedisClient, eventsKey: string, cursor: string): Promise<void> {
  const [oldest] = await redis.xrange(eventsKey, '-', '+', 'COUNT', 1);
  refuseLostCursor(cursor, oldest?.[0]);
}
