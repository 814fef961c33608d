import { Cluster } from 'ioredis';
import type { RedisClient } from '../redis/lua-script.ts';

const SCAN_COUNT = 500;

/** Deletes every key of a queue prefix, on every node: for a prefix that was made for one demo. */
export async function forgetKeys(redis: RedisClient, prefix: string): Promise<void> {
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    for await (const keys of node.scanStream({ match: `${prefix}*`, count: SCAN_COUNT })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(keys);
    }
  }
}
