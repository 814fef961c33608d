import { attemptSchema, type DeliveryAttempt } from '../core/delivery-reports.ts';
import { parseStored } from '../core/parse-stored.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const ATTEMPTS_KEPT = 50;

export type DeliveryLog = ReturnType<typeof createDeliveryLog>;

/** @param options `retentionMs`: how long the log of a job is kept after its last delivery */
export function createDeliveryLog(options: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly retentionMs: number;
}) {
  const { redis, keys, retentionMs } = options;
  return {
    async add(jobId: string, attempt: DeliveryAttempt): Promise<void> {
      const key = keys.callbackLog(jobId);
      await redis
        .multi()
        .lpush(key, JSON.stringify(attempt))
        .ltrim(key, 0, ATTEMPTS_KEPT - 1)
        .pexpire(key, retentionMs)
        .exec();
    },

    /** Newest first. */
    async read(jobId: string): Promise<DeliveryAttempt[]> {
      const lines = await redis.lrange(keys.callbackLog(jobId), 0, -1);
      return lines.flatMap((line) => parseStored(attemptSchema, line) ?? []);
    },
  };
}
