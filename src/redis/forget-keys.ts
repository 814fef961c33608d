import { Cluster } from 'ioredis';
import type { RedisClient } from './lua-script.ts';

const SCAN_COUNT = 1_000;

/**
 * Deletes the keys that begin with a text, on every master: for keys that a demo or a benchmark made.
 * @param isMeant which of them; by default all
 * @returns how many there were
 */
export async function forgetKeys(
  redis: RedisClient,
  start: string,
  isMeant: (key: string) => boolean = () => true,
): Promise<number> {
  const match = `${start.replace(/[\\*?[\]]/g, '\\$&')}*`;
  let count = 0;
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    for await (const found of node.scanStream({ match, count: SCAN_COUNT })) {
      const keys = Array.isArray(found) ? found.map(String).filter(isMeant) : [];
      if (keys.length > 0) count += await redis.unlink(keys);
    }
  }
  return count;
}
