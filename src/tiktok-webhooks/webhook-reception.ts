import { HOUR_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** How long after the last webhook about a post polls stay rare. */
const REMEMBERED_MS = 6 * HOUR_MS;

/** Whether TikTok's reports of posts reach this app. */
export type WebhookReception = ReturnType<typeof createWebhookReception>;

/** Creates the memory of arriving reports, shared by all processes. TikTok has one webhook address per app. */
export function createWebhookReception({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  return {
    /** One arrived. */
    noteReceived: async () => void (await redis.set(keys.webhooksArrive, '1', 'PX', REMEMBERED_MS)),
    /** No webhook announced an outcome: polls are frequent until the next webhook. */
    noteMissing: async () => void (await redis.del(keys.webhooksArrive)),
  };
}
