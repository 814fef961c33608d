import { z } from 'zod';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const ATTEMPTS_KEPT = 50;

const attemptSchema = z.object({
  at: z.string(),
  eventId: z.string(),
  type: z.string(),
  attempt: z.number(),
  outcome: z.enum(['delivered', 'retried', 'failed']),
  status: z.number().nullable(),
  durationMs: z.number(),
  code: z.string().nullable(),
  message: z.string().nullable(),
});

/** One delivery of an event, as people are shown it. Times are ISO 8601. */
export type DeliveryAttempt = z.infer<typeof attemptSchema>;

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
      return lines.map((line) => attemptSchema.parse(JSON.parse(line)));
    },
  };
}
