import { LINE_KEPT_MS } from '../core/callback-schedule.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Events of one millisecond have this many places in a line; more than Redis writes in one. */
const POSITIONS_A_MS = 1_000;

/** Keeps the events of one job in order: each waits until the one before it is delivered or given up. */
export type DeliveryOrder = ReturnType<typeof createDeliveryOrder>;

/** Over the sorted set that the ledger adds to in the step that makes an event. */
export function createDeliveryOrder(deps: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly queues: Pick<Queues, 'isPending' | 'wakeEventEntry'>;
}) {
  const { redis, keys, queues } = deps;
  return {
    /** Adds a delivery at the end of a line. @param position of its event on the stream */
    async add(line: string, deliveryId: string, position: string): Promise<void> {
      const [milliseconds = 0, sequence = 0] = position.split('-').map(Number);
      const key = keys.undeliveredEvents(line);
      const score = milliseconds * POSITIONS_A_MS + sequence;
      // What is left of a line whose entries Redis lost goes by itself.
      await redis.multi().zadd(key, 'NX', score, deliveryId).pexpire(key, LINE_KEPT_MS).exec();
    },

    /** The event of the same job that has to go first, if there is one. */
    async predecessor(line: string, deliveryId: string): Promise<string | undefined> {
      const key = keys.undeliveredEvents(line);
      const waiting = await redis.zrange(key, '0', '-1');
      // One that is delivered again has had its turn.
      for (const earlier of waiting.slice(0, Math.max(0, waiting.indexOf(deliveryId)))) {
        if (await queues.isPending('events', earlier)) return earlier;
        // Its entry is finished or was taken away: nobody may wait for it.
        await redis.zrem(key, earlier);
      }
      return undefined;
    },

    /** Ends an event's turn and lets the next one go. */
    async done(line: string, deliveryId: string): Promise<void> {
      const key = keys.undeliveredEvents(line);
      await redis.zrem(key, deliveryId);
      const [next] = await redis.zrange(key, '0', '0');
      if (next !== undefined) await queues.wakeEventEntry(next);
    },

    /** Ids of a job's events that are still to be delivered, oldest first. */
    async undelivered(jobId: string): Promise<string[]> {
      return await redis.zrange(keys.undeliveredEvents(jobId), '0', '-1');
    },
  };
}
