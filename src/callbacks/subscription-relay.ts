import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { orAbort, orLate } from '../core/deadline.ts';
import { BEFORE_ALL_EVENTS, isBefore } from '../core/event-cursor.ts';
import { decodeEvent, type PublishEvent } from '../core/publish-event.ts';
import { deliveryIdOf, lineOf, wants } from '../core/subscription.ts';
import { SECOND_MS } from '../core/units.ts';
import { createOutageLog } from '../observability/outage-log.ts';
import type { Callbacks } from './callback-deps.ts';
import type { DeliveryOrder } from './delivery-order.ts';
import { type QueueDeliveryDeps, queueDelivery } from './queue-delivery.ts';
import type { StoredSubscription, Subscriptions } from './subscriptions.ts';

const BLOCK_MS = 2 * SECOND_MS;
const READ_COUNT = 100;
/** How often a process without the lease, or without subscriptions, looks again. */
const LOOK_EVERY_MS = 2 * SECOND_MS;
const HAND_OVER_MS = SECOND_MS;

export interface SubscriptionRelayDeps extends Pick<QueueDeliveryDeps, 'queues' | 'random'> {
  readonly log: Logger;
  readonly callbacks: QueueDeliveryDeps['callbacks'] & {
    readonly subscriptions: Pick<Subscriptions, 'all'>;
    readonly order: Pick<DeliveryOrder, 'add'>;
    readonly events: Callbacks['events'];
  };
}

/** A subscription, and the place up to which it has got the events. */
interface Follower {
  readonly subscription: StoredSubscription;
  readonly cursor: string;
}

/**
 * Puts each event on `tiktok-events` for each subscription that wants it, oldest first. One process does this for all; should
 * two do it for a moment, nothing is delivered twice, since an entry is named by event and subscription.
 * @returns stops it
 */
export function startSubscriptionRelay(deps: SubscriptionRelayDeps): () => Promise<void> {
  const { redis, blocking, keys, lease } = deps.callbacks.events;
  const stopping = new AbortController();
  const { signal } = stopping;
  const outage = createOutageLog(deps.log);

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        const hasWork = (await hasLease()) && (await relayOnce());
        outage.isOver();
        if (hasWork) continue;
      } catch (error) {
        if (signal.aborted) break;
        outage.warn(error, {}, 'subscription relay interrupted');
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  const hasLease = async (): Promise<boolean> => (await redis.hlen(keys.subscriptions)) > 0 && (await lease.hold());

  async function followers(): Promise<Follower[]> {
    const [subscriptions, cursors] = await Promise.all([
      deps.callbacks.subscriptions.all(),
      redis.hgetall(keys.subscriptionCursors),
    ]);
    return subscriptions.map((subscription) => {
      return { subscription, cursor: cursors[subscription.id] ?? BEFORE_ALL_EVENTS };
    });
  }

  /** @returns false if nobody follows */
  async function relayOnce(): Promise<boolean> {
    const all = await followers();
    const [first, ...others] = all.map(({ cursor }) => cursor);
    if (first === undefined) return false;
    const from = others.reduce((oldest, cursor) => (isBefore(cursor, oldest) ? cursor : oldest), first);
    const reading = blocking.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, from);
    // A client that is told to stop while it connects again never rejects what it was asked.
    const entries = (await orAbort(reading, signal))?.[0]?.[1] ?? [];
    for (const [position, fields] of entries) {
      const event = decodeEvent(fields);
      if (event === undefined) continue;
      const wanted = all.filter(({ cursor, subscription }) => isBefore(cursor, position) && wants(subscription, event));
      await Promise.all(wanted.map(({ subscription }) => enqueue(event, position, subscription)));
    }
    const last = entries.at(-1)?.[0];
    if (last !== undefined) await moveOn(all, last);
    return true;
  }

  async function enqueue(event: PublishEvent, position: string, { id, endpoint }: StoredSubscription): Promise<void> {
    const entry = { version: 1, id: event.subject, event, subscription: id } as const;
    await deps.callbacks.order.add(lineOf(entry), deliveryIdOf(entry), position);
    await queueDelivery(entry, async () => new URL(endpoint).host, deps);
  }

  /** Only those that are still there: a deleted one must not come back as a cursor. */
  async function moveOn(all: readonly Follower[], last: string): Promise<void> {
    const passed = all.filter(({ cursor }) => isBefore(cursor, last)).map(({ subscription }) => subscription.id);
    const known = await redis.hmget(keys.subscriptions, ...passed);
    const moved = passed.filter((_, index) => known[index] !== null);
    if (moved.length > 0) await redis.hset(keys.subscriptionCursors, Object.fromEntries(moved.map((id) => [id, last])));
  }

  const following = follow();
  return async () => {
    stopping.abort();
    blocking.disconnect();
    await following;
    // So that the next process need not wait for its end; it is no harm if that fails.
    await orLate(lease.release(), { withinMs: HAND_OVER_MS, late: () => undefined }).catch(() => undefined);
  };
}
