import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { redisCodeOf } from '../core/redis-code.ts';

/** A Redis client of ours: single node, Sentinel or Cluster. */
export type RedisClient = Redis | Cluster;

/** Runs a Lua script by its digest, loading it where the server does not know it yet. */
export type RunScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * Prepares a Lua script for a client. All keys must share one hash slot.
 *
 * Unlike ioredis's `defineCommand` this leaves the client's type alone.
 */
export function prepareScript(redis: RedisClient, lua: string): RunScript {
  const digest = createHash('sha1').update(lua).digest('hex');
  return async (keys, args) => {
    const values = [...keys, ...args.map(String)];
    try {
      return await redis.evalsha(digest, keys.length, ...values);
    } catch (error) {
      if (redisCodeOf(error) !== 'NOSCRIPT') throw error;
      return await redis.eval(lua, keys.length, ...values);
    }
  };
}
