import { randomUUID } from 'node:crypto';
import type { RedisTarget } from '../config/redis-config.ts';
import { redisRefusalOf } from '../core/redis-trouble.ts';
import { closeRedis, connectRedis } from './connections.ts';
import type { Keys } from './keys.ts';
import { prepareScript } from './lua-script.ts';
import { RedisUnavailableError } from './redis-unavailable.ts';

const CONNECT_MS = 700;
/** Writes as every step of ours does, and leaves nothing behind. */
const WRITE_NOTHING = "redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('DEL', KEYS[1])";

/**
 * Why Redis takes no write now, for people and without its address; undefined where it takes one. Asks on a connection
 * of its own, since one that lost its server may wait for it silently. Answers within two seconds.
 */
export async function probeWrite(target: RedisTarget, keys: Keys): Promise<string | undefined> {
  try {
    const redis = await connectRedis(target, 'probe', { timeoutMs: CONNECT_MS });
    try {
      await prepareScript(redis, WRITE_NOTHING)([keys.probe(randomUUID())], []);
      return undefined;
    } finally {
      redis.disconnect();
      await closeRedis(redis);
    }
  } catch (error) {
    if (!(error instanceof Error)) return undefined;
    const refusal = redisRefusalOf(error) ?? (error.cause instanceof Error ? redisRefusalOf(error.cause) : undefined);
    return refusal ?? (isSilence(error) ? 'Redis does not respond' : 'Redis cannot be reached');
  }
}

function isSilence(error: Error): boolean {
  return error instanceof RedisUnavailableError ? error.why === 'timeout' : /timed out/i.test(error.message);
}
