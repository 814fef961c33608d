import type { Logger } from 'pino';
import type { Config } from '../config/load-config.ts';
import type { RedisTarget } from '../config/redis-config.ts';
import { toPublishError } from '../core/publish-error.ts';
import { type ProvidedRedis, provideRedis, type RedisStarter } from '../embedded-redis/provide-redis.ts';
import { checkRedisForService, createPatience, type Patience, type StartWait } from '../redis/await-redis.ts';
import type { Confirmation } from '../redis/confirmation.ts';
import { closeRedis, connectRedis, type RedisRole, reconnectRedis } from '../redis/connections.ts';
import { createKeys, type Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { openConfirmation } from '../redis/open-confirmation.ts';
import { trustsAnybody } from '../redis/tls-options.ts';

/** The settings by which a process finds its Redis. */
export type RedisAccessConfig = Pick<Config, 'redis' | 'dataDir' | 'cacheDir' | 'queuePrefix'> &
  Partial<Pick<Config, 'redisWaitReplicas'>>;

/** The Redis of one process, and the order in which everything that uses it is closed. */
export interface RedisAccess {
  /** The Redis that is really used, also where the settings say `embedded`. */
  readonly target: RedisTarget;
  readonly redisKind: ProvidedRedis['kind'];
  /** Something about Redis that people should be told. */
  readonly notice: string | undefined;
  readonly keys: Keys;
  /** Proves that writes survive a failover. The process has one. */
  readonly confirmation: Confirmation;
  /**
   * A connection that is closed with everything else. A failure closes everything.
   * @throws RedisUnavailableError
   */
  connect(role: RedisRole): Promise<RedisClient>;
  /**
   * As {@link connect}, while the process works: a failure closes nothing.
   * @throws RedisUnavailableError
   */
  openConnection(role: RedisRole): Promise<RedisClient>;
  /** A connection that is open, for what needs any; undefined before the first. */
  anyClient(): RedisClient | undefined;
  /** Has something closed before everything that was there earlier. */
  onClose(close: () => Promise<void>): void;
  /** Closes everything, the latest first and connections at the end; safe to call twice. Never rejects. */
  readonly close: () => Promise<void>;
}

export interface RedisAccessOptions {
  readonly log?: Logger | undefined;
  /** Whether a Redis of our own may be started; by default a running one is joined. */
  readonly starter?: RedisStarter | undefined;
  /** Repeats first connections while Redis is not ready yet; by default nothing is repeated. */
  readonly patience?: ((provided: ProvidedRedis) => Promise<Patience | undefined>) | undefined;
}

/**
 * Takes the Redis of the settings, or finds or starts one of our own.
 * @throws RedisUnavailableError
 */
export async function openRedisAccess(
  config: RedisAccessConfig,
  { log, starter, patience: findPatience }: RedisAccessOptions = {},
): Promise<RedisAccess> {
  const provided = await provideRedis(config, { log, starter });
  const patience = await findPatience?.(provided);
  const keys = createKeys(config.queuePrefix);
  const clients = new Set<RedisClient>();
  const confirmation = openConfirmation(provided.target, {
    ...{ keys, replicas: config.redisWaitReplicas },
    onStale: () => clients.forEach(reconnectRedis),
  });
  const closers = [() => confirmation.close()];
  let isClosed = false;

  async function connectOnce(role: RedisRole): Promise<RedisClient> {
    const redis = await connectRedis(provided.target, role, { log });
    if (isClosed) {
      await closeRedis(redis);
      throw new Error('closed while connecting');
    }
    clients.add(redis);
    redis.once('end', () => clients.delete(redis));
    return redis;
  }

  async function close(): Promise<void> {
    isClosed = true;
    // A part that fails to close, such as by a call that Redis refuses, must not keep the others open.
    const tryTo = (closer: () => Promise<void>): Promise<void> =>
      closer().catch((error: unknown) => log?.warn({ err: toPublishError(error) }, 'part failed to close'));
    for (const closer of closers.splice(0).reverse()) await tryTo(closer);
    // Together: a Redis that says nothing keeps each of them waiting.
    await Promise.all([...clients].map((client) => tryTo(() => closeRedis(client))));
    clients.clear();
    await tryTo(() => provided.close());
  }

  return {
    ...{ target: provided.target, redisKind: provided.kind, notice: provided.notice, keys, confirmation, close },
    openConnection: connectOnce,
    anyClient: () => clients.values().next().value,
    async connect(role) {
      try {
        return await (patience === undefined ? connectOnce(role) : patience.until(() => connectOnce(role)));
      } catch (error) {
        await close();
        throw error;
      }
    },
    onClose: (closer) => void closers.push(closer),
  };
}

/** Waits, for a service, until the Redis of its settings serves; that of another service may be about to be started again. */
export async function waitForRedis(
  { kind, target }: ProvidedRedis,
  { redisStartWaitMs, queuePrefix }: Pick<Config, 'redisStartWaitMs' | 'queuePrefix'>,
  start: StartWait,
  log: Logger,
): Promise<Patience | undefined> {
  if (kind === 'shared') return createPatience(redisStartWaitMs, start, log);
  if (kind !== 'external') return undefined;
  if (trustsAnybody(target)) {
    const warning = 'REDIS_TLS_INSECURE is true: the identity of Redis is not verified';
    log.warn(warning);
    start.notify?.(`Warning: ${warning}.`);
  }
  const patience = createPatience(redisStartWaitMs, start, log);
  await patience.until(() => checkRedisForService(target, queuePrefix));
  return patience;
}
