import type { Logger } from 'pino';
import { deriveCallbackSecrets } from '../callbacks/signer.ts';
import { encryptionKeysOf } from '../config/development-key.ts';
import type { Config } from '../config/load-config.ts';
import { orLate } from '../core/deadline.ts';
import type { Clock, RotatingSealer } from '../core/ports.ts';
import { SECOND_MS } from '../core/units.ts';
import type { ProvidedRedis, RedisStarter } from '../embedded-redis/provide-redis.ts';
import { deriveSessionSecrets, type SessionSecrets } from '../http/access/sign-in.ts';
import { logConsoleLines, openLogger } from '../observability/logger.ts';
import type { Traces } from '../observability/otel-traces.ts';
import type { StartWait } from '../redis/await-redis.ts';
import { describeTarget } from '../redis/connection-error.ts';
import { watchOldForm } from '../sealing/published-key.ts';
import { createRequestSecrets } from '../sealing/request-box.ts';
import { createSealer } from '../sealing/sealer.ts';
import { openRedisAccess, type RedisAccess, waitForRedis } from './redis-access.ts';

/** For what follows the drain: closing connections, and a Redis of our own writing its data to disk. */
const CLOSE_GRACE_MS = 3 * SECOND_MS;

export interface App extends RedisAccess {
  /** The settings, with the Redis that is really used in place of `embedded`. */
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  readonly sealer: RotatingSealer;
  readonly requestSecrets: ReturnType<typeof createRequestSecrets>;
  /** What deliveries of events are signed with, the newest first; they are secret. */
  readonly callbackSecrets: readonly string[];
  readonly sessionSecrets: SessionSecrets;
  /**
   * Names this ledger among all that a machine may know, without a secret: where its Redis is, and the prefix. Undefined
   * for one in memory, which ends with the process.
   */
  readonly ledgerName: string | undefined;
  /** Takes what libraries write to the console into the log, until everything is closed: for a process of our own. */
  readonly logConsole: () => void;
  /** Where the traces of this process go; undefined where nobody wants any. */
  readonly traces: Traces | undefined;
}

export interface AppOptions {
  /** Whether a Redis of our own may be started; by default a running one is joined. */
  readonly starter?: RedisStarter;
  /** For services: waits for the Redis of the settings, and checks that it can be used. */
  readonly start?: StartWait;
  /** By default one that writes to standard error, from `LOG_LEVEL` on. */
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Finds or starts Redis and reads the keys.
 * @throws RedisUnavailableError, ConfigError
 */
export async function openApp(config: Config, options: AppOptions = {}): Promise<App> {
  const { starter, start, clock = Date, random = Math.random } = options;
  const log = options.log ?? (await openLogger({ level: config.logLevel, format: config.logFormat }));
  const access = await openRedisAccess(config, {
    ...{ log, starter },
    ...(start !== undefined && { patience: (provided) => waitForRedis(provided, config, start, log) }),
  });
  // After Redis: a folder without one must not get a key of its own.
  const encryptionKeys = await encryptionKeysOf(config).catch(async (error: unknown) => {
    await access.close();
    throw error;
  });
  const oldFormInUse = watchOldForm(access.anyClient, access.keys);
  const traces = config.tracing && (await import('../observability/otel-traces.ts')).openTraces(config.tracing);
  access.onClose(async () => await traces?.close());
  return {
    ...access,
    config: { ...config, encryptionKeys: [...encryptionKeys], redis: access.target },
    ...{ log, clock, random, traces },
    logConsole() {
      const giveBack = logConsoleLines(log);
      access.onClose(async () => giveBack());
    },
    sealer: createSealer(encryptionKeys, oldFormInUse),
    requestSecrets: createRequestSecrets(encryptionKeys, oldFormInUse),
    callbackSecrets: config.callbackSecrets ?? deriveCallbackSecrets(encryptionKeys),
    sessionSecrets: deriveSessionSecrets(encryptionKeys),
    ledgerName: ledgerNameOf(config, access.redisKind),
  };
}

function ledgerNameOf({ redis, queuePrefix }: Config, kind: ProvidedRedis['kind']): string | undefined {
  if (kind === 'in-memory') return undefined;
  // One of our own has its files in the same folder, and another port each time.
  const address = redis.kind === 'embedded' ? 'own' : describeTarget(redis).address;
  return `${address} ${queuePrefix}`;
}

/**
 * Closes a process's parts. What must be handed back waits for Redis; a Redis that is gone must not hold the process.
 * @param drainMs how long its workers may take to drain
 */
export async function closeInTime({ close, log }: Pick<App, 'close' | 'log'>, drainMs: number): Promise<void> {
  const closing = close().then(() => true);
  if (await orLate(closing, { withinMs: drainMs + CLOSE_GRACE_MS, late: () => false })) log.info('stopped');
  else
    log.warn(
      'stopped without closing all parts because Redis did not respond in time; other workers will take over the jobs',
    );
}
