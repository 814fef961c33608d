import { HOW_TO_GET_REDIS, RedisUnavailableError } from './redis-unavailable.ts';

/** A Redis imitation inside this process: slow, and forgotten at the end. */
export interface InMemoryRedis {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts the JavaScript imitation of Redis, for a first try on machines where no real one can be had.
 *
 * @throws RedisUnavailableError `not_installed` where npm left the optional dependency out (Node below 22)
 */
export async function startInMemoryRedis(): Promise<InMemoryRedis> {
  const { createRedisServer } = await import('js-redis-server').catch((cause: unknown) => {
    throw new RedisUnavailableError('not_installed', 'the in-memory Redis (js-redis-server) is not installed', {
      advice: `npm installs it on Node 22 and newer only. ${HOW_TO_GET_REDIS}`,
      cause,
    });
  });
  const server = await createRedisServer({ host: '127.0.0.1', port: 0 });
  return { url: `redis://127.0.0.1:${server.port}`, close: () => server.close() };
}
