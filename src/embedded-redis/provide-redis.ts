import { once } from 'node:events';
import type { Logger } from 'pino';
import type { RedisConfig, RedisTarget } from '../config/redis-config.ts';
import { RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from './embedded-redis.ts';

interface ProvideRedisOptions {
  readonly log?: Logger | undefined;
  /** Whether to fall back to an imitation of Redis that stores nothing, if there is no real one. */
  readonly allowInMemory?: boolean;
}

export interface ProvidedRedis {
  readonly target: RedisTarget;
  /** `external` is the one that the settings name; the others were started without set-up. */
  readonly kind: 'external' | 'in-memory' | EmbeddedRedis['kind'];
  /** Something that people should be told, as a sentence. */
  readonly notice?: string;
  /** Stops what was started for us; close every connection first. */
  close(): Promise<void>;
}

/**
 * Gives the Redis of the settings, or starts one where they name none.
 *
 * @throws RedisUnavailableError when there is none
 */
export async function provideRedis(
  config: { readonly redis: RedisConfig; readonly dataDir: string; readonly cacheDir: string },
  { log, allowInMemory = false }: ProvideRedisOptions = {},
): Promise<ProvidedRedis> {
  if (config.redis.kind !== 'embedded') {
    return { target: config.redis, kind: 'external', close: async () => undefined };
  }
  try {
    const redis = await startEmbeddedRedis({ dataDir: config.dataDir, cacheDir: config.cacheDir, log });
    const { deadPeerMs } = config.redis;
    const target = { kind: 'url', url: redis.url, ...(deadPeerMs !== undefined && { deadPeerMs }) } as const;
    return { target, kind: redis.kind, close: () => redis.close() };
  } catch (error) {
    const nothingToRun = error instanceof RedisUnavailableError && error.why === 'no_program';
    if (!allowInMemory || !nothingToRun) throw error;
    return provideInMemory(error);
  }
}

async function provideInMemory(why: RedisUnavailableError): Promise<ProvidedRedis> {
  const redis = await startInMemoryRedis().catch(() => {
    throw why;
  });
  return {
    target: { kind: 'url', url: redis.url },
    kind: 'in-memory',
    notice: `No Redis program was found (${why.message}). Using an in-memory imitation: all data is lost when this process ends.`,
    close: () => redis.close(),
  };
}

/**
 * Starts the JavaScript imitation of Redis, for a first try on machines where no real one can be had: slow, and forgotten
 * at the end. Its end waits until every connection has been closed.
 */
async function startInMemoryRedis(): Promise<Pick<EmbeddedRedis, 'url' | 'close'>> {
  const { createRedisCommandExecutor, RedisServerState, Resp2Server } = await import('js-redis-server/core');
  const state = new RedisServerState({ databaseCount: 1 });
  const redis = new Resp2Server({ server: state, executor: createRedisCommandExecutor() });
  // Its own listen() would let the whole network in.
  redis.server.listen(0, '127.0.0.1');
  await once(redis.server, 'listening');
  return { url: `redis://127.0.0.1:${redis.getPort()}`, close: () => redis.close() };
}
