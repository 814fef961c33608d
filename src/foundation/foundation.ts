import type { Logger } from 'pino';
import { type ConnectLinks, createConnectLinks } from '../accounts/connect-link.ts';
import { createSealer, type RotatingSealer } from '../accounts/sealer.ts';
import { deriveCallbackSecrets } from '../callbacks/secrets.ts';
import { encryptionKeysOf } from '../config/development-key.ts';
import type { Config } from '../config/load-config.ts';
import { createLogger } from '../observability/logger.ts';
import { startTraces, type Traces } from '../observability/tracing.ts';
import { checkRedisForService, createPatience, type Patience, type StartWait } from '../redis/await-redis.ts';
import { closeRedis, connectRedis, type RedisRole } from '../redis/connections.ts';
import { createKeys, type Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { type ProvidedRedis, provideRedis } from '../redis/provide-redis.ts';
import { trustsAnybody } from '../redis/tls-options.ts';
import { createRequestSecrets } from '../sealing/request-box.ts';

/** What every process stands on: Redis, keys, log; and the order in which all of it ends. */
export interface Foundation {
  /** The settings, with the Redis that is really used in place of `embedded`. */
  readonly config: Config;
  readonly log: Logger;
  readonly keys: Keys;
  readonly sealer: RotatingSealer;
  readonly requestSecrets: ReturnType<typeof createRequestSecrets>;
  readonly connectLinks: ConnectLinks;
  /** What deliveries of events are signed with, the newest first; they are secret. */
  readonly callbackSecrets: readonly string[];
  readonly redisKind: ProvidedRedis['kind'];
  /** Where the traces of this process go; undefined where nobody wants any. */
  readonly traces: Traces | undefined;
  /** Something about Redis that people should be told. */
  readonly notice: string | undefined;
  /**
   * A connection that is closed with the foundation.
   * @throws RedisUnavailableError
   */
  connect(role: RedisRole): Promise<RedisClient>;
  /** Has something closed before everything that was there earlier. */
  onClose(close: () => Promise<void>): void;
  /** Closes everything, the latest first; safe to call twice. */
  readonly close: () => Promise<void>;
}

export interface FoundationOptions {
  /** Whether an imitation of Redis may stand in where no real one can be had. */
  readonly allowInMemory?: boolean;
  /** For services: waits for a Redis of the settings that is not there yet, and sees to it that it can be used. */
  readonly start?: StartWait;
}

/**
 * Starts or finds Redis and reads the keys.
 * @throws RedisUnavailableError, ConfigError
 */
export async function openFoundation(config: Config, options: FoundationOptions = {}): Promise<Foundation> {
  const log = createLogger({ level: config.logLevel });
  const encryptionKeys = await encryptionKeysOf(config);
  const provided = await provideRedis(config, { ...options, log });
  const patience = await prepare(provided, config, options.start, log);
  const traces = await startTraces(config.tracing);
  const closers: (() => Promise<void>)[] = [() => provided.close(), async () => await traces?.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  return {
    config: { ...config, encryptionKeys: [...encryptionKeys], redis: provided.target },
    log,
    keys: createKeys(config.queuePrefix),
    sealer: createSealer(encryptionKeys),
    requestSecrets: createRequestSecrets(encryptionKeys),
    connectLinks: createConnectLinks(encryptionKeys),
    callbackSecrets: config.callbackSecrets ?? deriveCallbackSecrets(encryptionKeys),
    redisKind: provided.kind,
    notice: provided.notice,
    traces,
    async connect(role) {
      try {
        const attempt = () => connectRedis(provided.target, role, { log });
        const redis = await (patience === undefined ? attempt() : patience.until(attempt));
        closers.push(() => closeRedis(redis));
        return redis;
      } catch (error) {
        await close();
        throw error;
      }
    },
    onClose: (closer) => void closers.push(closer),
    close,
  };
}

/** Waits, for a service, until the Redis of its settings serves. */
async function prepare(
  { kind, target }: ProvidedRedis,
  { redisStartWaitMs, queuePrefix }: Config,
  start: StartWait | undefined,
  log: Logger,
): Promise<Patience | undefined> {
  if (start === undefined || kind !== 'external') return undefined;
  if (trustsAnybody(target)) {
    const warning = 'REDIS_TLS_INSECURE is true: nothing proves that it is the right Redis that answers';
    log.warn(warning);
    start.tell?.(`Warning: ${warning}.`);
  }
  const patience = createPatience(redisStartWaitMs, start, log);
  await patience.until(() => checkRedisForService(target, queuePrefix));
  return patience;
}
