import { once } from 'node:events';
import { HOW_TO_GET_REDIS, RedisUnavailableError } from '../redis/redis-unavailable.ts';

/** A Redis imitation inside this process: slow, and forgotten at the end. */
export interface InMemoryRedis {
  readonly url: string;
  /** Waits until every connection has been closed. */
  close(): Promise<void>;
}

/**
 * Starts the JavaScript imitation of Redis, for a first try on machines where no real one can be had.
 *
 * @throws RedisUnavailableError `not_installed` where npm left the optional dependency out (Node below 22)
 */
export async function startInMemoryRedis(): Promise<InMemoryRedis> {
  const { createRedisCommandExecutor, RedisServerState, Resp2Server } = await import('js-redis-server/core').catch(
    (cause: unknown) => {
      throw new RedisUnavailableError('not_installed', 'the in-memory Redis (js-redis-server) is not installed', {
        advice: `npm installs it on Node 22 and newer only. ${HOW_TO_GET_REDIS}`,
        cause,
      });
    },
  );
  const state = new RedisServerState({ databaseCount: 1 });
  const redis = new Resp2Server({ server: state, executor: createRedisCommandExecutor() });
  // Its own listen() would let the whole network in.
  redis.server.listen(0, '127.0.0.1');
  await once(redis.server, 'listening');
  return { url: `redis://127.0.0.1:${redis.getPort()}`, close: () => redis.close() };
}
