import type { Logger } from 'pino';
import { type ConnectLinks, createConnectLinks } from '../accounts/connect-link.ts';
import { deriveCallbackSecrets } from '../callbacks/secrets.ts';
import { encryptionKeysOf } from '../config/development-key.ts';
import type { Config } from '../config/load-config.ts';
import type { RotatingSealer } from '../core/ports.ts';
import { toPublishError } from '../core/publish-error.ts';
import { createLogger } from '../observability/logger.ts';
import { startTraces, type Traces } from '../observability/tracing.ts';
import { checkRedisForService, createPatience, type Patience, type StartWait } from '../redis/await-redis.ts';
import type { Confirmation } from '../redis/confirmation.ts';
import { describeTarget } from '../redis/connection-error.ts';
import { closeRedis, connectRedis, type RedisRole, reconnectRedis } from '../redis/connections.ts';
import { createKeys, type Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { NEEDED_BY_SERVICES } from '../redis/needed-commands.ts';
import { openConfirmation } from '../redis/open-confirmation.ts';
import { describeMissing, findMissingPermissions } from '../redis/permissions.ts';
import { type ProvidedRedis, provideRedis } from '../redis/provide-redis.ts';
import { trustsAnybody } from '../redis/tls-options.ts';
import { probeWrite } from '../redis/write-probe.ts';
import { isOldFormInUse } from '../sealing/published-key.ts';
import { createRequestSecrets } from '../sealing/request-box.ts';
import { createSealer } from '../sealing/sealer.ts';

/** What every process stands on: Redis, keys, log; and the order in which all of it ends. */
export interface Foundation {
  /** The settings, with the Redis that is really used in place of `embedded`. */
  readonly config: Config;
  readonly log: Logger;
  readonly keys: Keys;
  /** Proves that writes survive a failover. */
  readonly confirmation: Confirmation;
  readonly sealer: RotatingSealer;
  readonly requestSecrets: ReturnType<typeof createRequestSecrets>;
  readonly connectLinks: ConnectLinks;
  /** What deliveries of events are signed with, the newest first; they are secret. */
  readonly callbackSecrets: readonly string[];
  readonly redisKind: ProvidedRedis['kind'];
  /**
   * Names this ledger among all that a machine may know, without a secret: where its Redis is, and the prefix. Undefined
   * for one in memory, which ends with the process.
   */
  readonly ledgerName: string | undefined;
  /** Where the traces of this process go; undefined where nobody wants any. */
  readonly traces: Traces | undefined;
  /** Something about Redis that people should be told. */
  readonly notice: string | undefined;
  /**
   * A connection that is closed with the foundation.
   * @throws RedisUnavailableError
   */
  connect(role: RedisRole): Promise<RedisClient>;
  /** Why Redis takes no write now, as a connection of its own finds; undefined where it takes one. */
  probeRedis(): Promise<string | undefined>;
  /** What our Redis user may not do although workers need it, human-readable; undefined where nothing is missing. */
  findForbidden(redis: RedisClient): Promise<string | undefined>;
  /**
   * As {@link connect}, in the midst of the work: a failure closes nothing.
   * @throws RedisUnavailableError
   */
  connectAnew(role: RedisRole): Promise<RedisClient>;
  /** Has something closed before everything that was there earlier. */
  onClose(close: () => Promise<void>): void;
  /** Closes everything, the latest first and connections at the end; safe to call twice. Never rejects. */
  readonly close: () => Promise<void>;
}

export interface FoundationOptions {
  /** Whether an imitation of Redis may stand in where no real one can be had. */
  readonly allowInMemory?: boolean;
  /** For services: waits for the Redis of the settings, and checks that it can be used. */
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
  const keys = createKeys(config.queuePrefix);
  const confirmation = openConfirmation(provided.target, {
    ...{ keys, replicas: config.redisWaitReplicas },
    onStale: () => clients.forEach(reconnectRedis),
  });
  const closers: (() => Promise<void>)[] = [async () => await traces?.close(), () => confirmation.close()];
  const clients = new Set<RedisClient>();
  // What one part cannot end, such as a call that Redis refuses, must not keep the others open.
  const tryTo = async (closer: () => Promise<void>) => {
    await closer().catch((error: unknown) => log.warn({ err: toPublishError(error) }, 'part failed to close'));
  };
  const oldFormInUse = async () => {
    const [redis] = clients;
    return redis !== undefined && (await isOldFormInUse(redis, keys));
  };
  let isClosed = false;
  async function connectOnce(role: RedisRole): Promise<RedisClient> {
    const redis = await connectRedis(provided.target, role, { log });
    clients.add(redis);
    if (isClosed) throw new Error('closed while connecting');
    return redis;
  }
  const close = async () => {
    isClosed = true;
    for (const closer of closers.splice(0).reverse()) await tryTo(closer);
    // Together: a Redis that says nothing keeps each of them waiting.
    await Promise.all([...clients].map((client) => tryTo(() => closeRedis(client))));
    clients.clear();
    await tryTo(() => provided.close());
  };
  return {
    config: { ...config, encryptionKeys: [...encryptionKeys], redis: provided.target },
    log,
    keys,
    confirmation,
    sealer: createSealer(encryptionKeys, oldFormInUse),
    requestSecrets: createRequestSecrets(encryptionKeys, oldFormInUse),
    connectLinks: createConnectLinks(encryptionKeys),
    callbackSecrets: config.callbackSecrets ?? deriveCallbackSecrets(encryptionKeys),
    redisKind: provided.kind,
    ledgerName: ledgerNameOf(config, provided.kind),
    notice: provided.notice,
    traces,
    connectAnew: connectOnce,
    async connect(role) {
      try {
        return await (patience === undefined ? connectOnce(role) : patience.until(() => connectOnce(role)));
      } catch (error) {
        await close();
        throw error;
      }
    },
    probeRedis: () => probeWrite(provided.target, keys),
    async findForbidden(redis) {
      // What can be tried in one script: this is asked often.
      const needed = { probes: NEEDED_BY_SERVICES.probes, direct: [] };
      const missing = await findMissingPermissions(redis, config.queuePrefix, needed);
      const text = describeMissing(missing, provided.target, config.queuePrefix)?.what;
      return text && `Redis rejects commands that jobs need: ${text}`;
    },
    onClose: (closer) => void closers.push(closer),
    close,
  };
}

function ledgerNameOf({ redis, queuePrefix }: Config, kind: ProvidedRedis['kind']): string | undefined {
  if (kind === 'in-memory') return undefined;
  // One of our own has its files in the same folder, and another port each time.
  const address = redis.kind === 'embedded' ? 'own' : describeTarget(redis).address;
  return `${address} ${queuePrefix}`;
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
    const warning = 'REDIS_TLS_INSECURE is true: the identity of Redis is not verified';
    log.warn(warning);
    start.tell?.(`Warning: ${warning}.`);
  }
  const patience = createPatience(redisStartWaitMs, start, log);
  await patience.until(() => checkRedisForService(target, queuePrefix));
  return patience;
}
