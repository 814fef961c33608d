import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RedisTarget } from '../config/redis-config.ts';
import { orAbort } from '../core/deadline.ts';
import { SECOND_MS } from '../core/units.ts';
import { describeTarget, explainRedisError } from './connection-error.ts';
import { closeRedis, connectRedis } from './connections.ts';
import { NEEDED_BY_SERVICES } from './needed-commands.ts';
import { describeMissing, findMissingPermissions } from './permissions.ts';
import { RedisUnavailableError } from './redis-unavailable.ts';
import { isVersionSupported, LEAST_REDIS_VERSION, readServerFacts } from './server-facts.ts';

const TRY_AGAIN_MS = SECOND_MS / 2;

/** How a service waits at its start for a Redis that is not there yet. */
export interface StartWait {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Called twice at most: when the wait begins and when it ends. */
  readonly notify?: ((text: string) => void) | undefined;
}

export type Patience = ReturnType<typeof createPatience>;

/** Repeats what fails because Redis is not ready yet; all attempts together have one limit. */
export function createPatience(waitMs: number, { signal, notify }: StartWait, log: Logger) {
  const deadline = performance.now() + waitMs;
  let waits = false;

  function onTrouble({ message, why }: RedisUnavailableError): void {
    if (waits) return;
    waits = true;
    log.warn({ reason: why, waitMs }, 'waiting for redis');
    notify?.(`Waiting for Redis for up to ${Math.round(waitMs / SECOND_MS)} s (REDIS_START_WAIT_MS): ${message}.`);
  }

  return {
    /** @throws the signal's reason; RedisUnavailableError that lasts, or is there still at the end */
    async until<T>(attempt: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          const value = await orAbort(attempt(), signal);
          if (waits) notify?.('Redis is ready.');
          waits = false;
          return value;
        } catch (error) {
          signal?.throwIfAborted();
          const mayPass = error instanceof RedisUnavailableError && error.passes;
          if (!mayPass || performance.now() + TRY_AGAIN_MS > deadline) throw error;
          onTrouble(error);
          await sleep(TRY_AGAIN_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
        }
      }
    },
  };
}

/**
 * Whether Redis can do what a service needs.
 * @throws RedisUnavailableError with what is missing
 */
export async function checkRedisForService(target: RedisTarget, prefix: string): Promise<void> {
  const redis = await connectRedis(target, 'producer');
  try {
    const missing = await findMissingPermissions(redis, prefix, NEEDED_BY_SERVICES);
    const described = describeMissing(missing, target, prefix);
    if (described !== undefined) throw unusable(target, 'permission', described.what, described.fix);
    if (missing.writesRefused) throw missing.writesRefused;
    const [old] = (await readServerFacts(redis)).filter(({ version }) => !isVersionSupported(version));
    if (old !== undefined) {
      const fix = `Upgrade it to ${LEAST_REDIS_VERSION.join('.')} or newer.`;
      throw unusable(target, 'too_old', `its version ${old.version} is too old`, fix);
    }
  } catch (error) {
    throw explainRedisError(error, target) ?? error;
  } finally {
    await closeRedis(redis);
  }
}

function unusable(target: RedisTarget, why: 'permission' | 'too_old', what: string, advice: string) {
  const { address, setting } = describeTarget(target);
  return new RedisUnavailableError(why, `the Redis at ${address} (${setting}) cannot be used: ${what}`, { advice });
}
