import { endpointOf } from '../core/callback-schedule.ts';
import type { DisabledUrl } from '../core/delivery-reports.ts';
import type { Clock } from '../core/ports.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { endpointIdOf } from './endpoint-health.ts';

/** One that is forgotten is asked once more, and answers 410 again. */
const MAX_REMEMBERED = 10_000;

/**
 * Callback URLs that answered 410 and get nothing more, as the Standard Webhooks specification wants it. Unlike a pause it
 * is about the whole URL: a receiver may be done with one job, and want the events of others under the same path.
 */
export type DisabledUrls = ReturnType<typeof createDisabledUrls>;

/** @param options `retentionMs`: how long a URL is remembered */
export function createDisabledUrls({
  redis,
  keys,
  clock,
  retentionMs,
}: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly retentionMs: number;
}) {
  return {
    /** Notes that a URL answered 410. */
    async add(callbackUrl: string): Promise<void> {
      const now = clock.now();
      await redis
        .multi()
        .zremrangebyscore(keys.disabledCallbacks, '-inf', now - retentionMs)
        .zadd(keys.disabledCallbacks, 'NX', now, memberOf(callbackUrl))
        .zremrangebyrank(keys.disabledCallbacks, 0, -MAX_REMEMBERED - 1)
        .exec();
    },

    async has(callbackUrl: string): Promise<boolean> {
      const disabledAt = await redis.zscore(keys.disabledCallbacks, memberOf(callbackUrl));
      return disabledAt !== null && Number(disabledAt) > clock.now() - retentionMs;
    },

    /** The oldest first. */
    async list(): Promise<DisabledUrl[]> {
      const since = `(${clock.now() - retentionMs}`;
      const flat = await redis.zrangebyscore(keys.disabledCallbacks, since, '+inf', 'WITHSCORES');
      const found: DisabledUrl[] = [];
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const [id = '', endpoint = ''] = (flat[i] ?? '').split(' ');
        found.push({ id, endpoint, disabledAt: new Date(Number(flat[i + 1])).toISOString() });
      }
      return found;
    },

    /** Lets these URLs get events again. */
    async remove(urls: readonly DisabledUrl[]): Promise<void> {
      if (urls.length === 0) return;
      await redis.zrem(keys.disabledCallbacks, ...urls.map(({ id, endpoint }) => `${id} ${endpoint}`));
    },
  };
}

/** A query may hold a token, so it only goes into the digest. */
function memberOf(callbackUrl: string): string {
  return `${endpointIdOf(callbackUrl)} ${endpointOf(callbackUrl)}`;
}
