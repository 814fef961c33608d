import { attemptSchema, type DeliveryAttempt } from '../core/delivery-reports.ts';
import { parseStored } from '../core/parse-stored.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const ATTEMPTS_KEPT = 50;

export type DeliveryLog = ReturnType<typeof createDeliveryLog>;

/** Of jobs and of subscriptions, by their ids. @param options `retentionMs`: how long each is kept after its last delivery */
export function createDeliveryLog(options: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly retentionMs: number;
}) {
  const { redis, keys, retentionMs } = options;
  return {
    async add(id: string, attempt: DeliveryAttempt): Promise<void> {
      const key = keys.callbackLog(id);
      await redis
        .multi()
        .lpush(key, JSON.stringify(attempt))
        .ltrim(key, 0, ATTEMPTS_KEPT - 1)
        .pexpire(key, retentionMs)
        .exec();
    },

    /** Newest first. */
    async read(id: string): Promise<DeliveryAttempt[]> {
      const lines = await redis.lrange(keys.callbackLog(id), 0, -1);
      return lines.flatMap((line) => parseStored(attemptSchema, line) ?? []);
    },
  };
}
