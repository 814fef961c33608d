import { HOUR_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** After the last report of a post, polls are trusted alone again. */
const REMEMBERED_MS = 6 * HOUR_MS;

/** Whether TikTok's reports of posts reach this app. */
export interface WebhookReception {
  /** One arrived. */
  noteReceived(): Promise<void>;
  areArriving(): Promise<boolean>;
  /** An outcome is there which no report announced: polls are trusted alone until the next report. */
  noteMissing(): Promise<void>;
}

/** Creates the memory of arriving reports, shared by all processes. TikTok has one webhook address per app. */
export function createWebhookReception({ redis, keys }: { redis: RedisClient; keys: Keys }): WebhookReception {
  return {
    noteReceived: async () => void (await redis.set(keys.webhooksArrive, '1', 'PX', REMEMBERED_MS)),
    areArriving: async () => (await redis.exists(keys.webhooksArrive)) === 1,
    noteMissing: async () => void (await redis.del(keys.webhooksArrive)),
  };
}
