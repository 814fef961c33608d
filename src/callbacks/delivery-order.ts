import type { Queues } from '../queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

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
    /** The event of the same job that has to go first, if there is one. */
    async predecessor(jobId: string, eventId: string): Promise<string | undefined> {
      const key = keys.undeliveredEvents(jobId);
      const waiting = await redis.zrange(key, '0', '-1');
      // One that is delivered again has had its turn.
      for (const earlier of waiting.slice(0, Math.max(0, waiting.indexOf(eventId)))) {
        if (await queues.isPending('events', earlier)) return earlier;
        // Its entry is finished or was taken away: nobody may wait for it.
        await redis.zrem(key, earlier);
      }
      return undefined;
    },

    /** Ends an event's turn and lets the next one go. */
    async done(jobId: string, eventId: string): Promise<void> {
      const key = keys.undeliveredEvents(jobId);
      await redis.zrem(key, eventId);
      const [next] = await redis.zrange(key, '0', '0');
      if (next !== undefined) await queues.wakeEventEntry(next);
    },

    /** Ids of a job's events that are still to be delivered, oldest first. */
    async undelivered(jobId: string): Promise<string[]> {
      return await redis.zrange(keys.undeliveredEvents(jobId), '0', '-1');
    },
  };
}
