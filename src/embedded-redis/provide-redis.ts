import { once } from 'node:events';
import type { Logger } from 'pino';
import type { RedisConfig, RedisTarget } from '../config/redis-config.ts';
import { RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { type EmbeddedRedis, joinEmbeddedRedis, startEmbeddedRedis } from './embedded-redis.ts';
import { newPassword, ownUrl } from './own-login.ts';
import { noteFolder, runningFolders } from './running-folders.ts';
import { currentLogin } from './running-redis.ts';

/**
 * Who may start a Redis of ours where the settings name none: a `service`, which others then join (one of those goes on with
 * it when the service ends), or a `trial`, which may
 * also use an imitation that stores nothing. All others only join the one that runs.
 */
export type RedisStarter = 'service' | 'trial';

interface ProvideRedisOptions {
  readonly log?: Logger | undefined;
  readonly starter?: RedisStarter | undefined;
}

export interface ProvidedRedis {
  readonly target: RedisTarget;
  /** `external` is the one that the settings name; the others are ours. */
  readonly kind: 'external' | 'in-memory' | EmbeddedRedis['kind'];
  /** Something that people should be told, as a sentence. */
  readonly notice?: string;
  /** Stops what was started for us; close every connection first. */
  close(): Promise<void>;
}

/**
 * Gives the Redis of the settings, or, where they name none, the one that runs in the data folder; a `starter` starts it.
 *
 * @throws RedisUnavailableError when there is none
 */
export async function provideRedis(
  config: { readonly redis: RedisConfig; readonly dataDir: string; readonly cacheDir: string },
  { log, starter }: ProvideRedisOptions = {},
): Promise<ProvidedRedis> {
  const { redis, dataDir, cacheDir } = config;
  if (redis.kind !== 'embedded') return { target: redis, kind: 'external', close: async () => undefined };
  if (starter === undefined) return provideOwn(await joinEmbeddedRedis({ dataDir, cacheDir, log }), redis);
  try {
    const onStart = starter === 'service' ? (folder: string) => noteFolder(cacheDir, folder) : undefined;
    const own = await startEmbeddedRedis({ dataDir, cacheDir, log, onStart });
    const provided = provideOwn(own, redis);
    const others = starter === 'service' && own.kind !== 'shared' ? await otherFolders(own, cacheDir) : [];
    return others.length === 0 ? provided : { ...provided, notice: tellOf(others) };
  } catch (error) {
    const nothingToRun = error instanceof RedisUnavailableError && error.why === 'no_program';
    if (starter !== 'trial' || !nothingToRun) throw error;
    return provideInMemory(error);
  }
}

function provideOwn({ url, kind, dataDir, close }: EmbeddedRedis, { deadPeerMs }: RedisConfig): ProvidedRedis {
  const own = { dataDir, login: () => currentLogin(dataDir) };
  return { target: { kind: 'url', url, own, ...(deadPeerMs !== undefined && { deadPeerMs }) }, kind, close };
}

async function otherFolders({ dataDir }: EmbeddedRedis, cacheDir: string): Promise<string[]> {
  return (await runningFolders(cacheDir)).filter((folder) => folder !== dataDir);
}

const tellOf = (folders: readonly string[]): string =>
  `Jobs and accounts of the service that is running in ${folders.join(' and in ')} are not visible here.`;

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
  const password = newPassword();
  const state = new RedisServerState({ databaseCount: 1, requirepass: password });
  const redis = new Resp2Server({ server: state, executor: createRedisCommandExecutor() });
  // Its own listen() would let the whole network in.
  redis.server.listen(0, '127.0.0.1');
  await once(redis.server, 'listening');
  return { url: ownUrl({ port: redis.getPort(), password }), close: () => redis.close() };
}
