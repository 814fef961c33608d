import { withSettings } from '../config/given-settings.ts';
import { loadWorkersConfig } from '../config/guest-config.ts';
import type { Config } from '../config/load-config.ts';
import { otherTikTok } from '../config/tiktok-address.ts';
import type { TokenSource } from '../core/ports.ts';
import type { Readiness } from '../workers/runtime/readiness.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';
import type { WorkerKind } from '../workers/runtime/worker-kinds.ts';
import { closeInTime, openApp } from './open-app.ts';
import { openService, type Service } from './open-service.ts';
import { openWorkers } from './open-workers.ts';

/** Options of workers in another app's process. What is left out comes from the environment. */
export interface CreateWorkersOptions {
  /** Where access tokens come from: an app that keeps its customers' tokens brings its own source; else the vault. */
  readonly tokens?: TokenSource;
  /** `redis://` or `rediss://`; instead of `REDIS_URL`. */
  readonly redisUrl?: string;
  /** The queue's hash tag; instead of `QUEUE_PREFIX`. */
  readonly queuePrefix?: string;
  /** Which workers to run; by default all. */
  readonly only?: readonly WorkerKind[];
}

/** The workers of one process, with all that they stand on. */
export interface Workers {
  /** Whether every worker could take a job now, as {@link readiness} says. */
  isRunning(): boolean;
  /** Whether every worker could take a job now, and if not, why. Answers within two seconds. */
  readiness(): Promise<Readiness>;
  /** Lets an account's jobs go on at once that wait for its owner; they would by themselves within ten minutes. */
  wake(account: string): Promise<void>;
  /** What this process measured, as Prometheus text. */
  metrics(): Promise<string>;
  /**
   * Stops taking jobs, lets uploads stop at their next chunk edge, hands them back, and closes every connection. What
   * still runs after `timeoutMs` (`SHUTDOWN_TIMEOUT_MS` by default) is aborted and handed back too. Where Redis is away
   * it ends all the same: with nothing running within seconds, else within `timeoutMs` and a few seconds.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens everything that workers need in a process that is not ours. @throws ConfigError, RedisUnavailableError */
export async function openStandAloneWorkers({ tokens, only, ...settings }: CreateWorkersOptions): Promise<Workers> {
  const app = await openApp(configOf(settings), { starter: 'service', start: {} });
  try {
    const elsewhere = otherTikTok(app.config.tiktok.apiBaseUrl);
    if (elsewhere !== undefined) app.log.warn(elsewhere);
    const service = await openService(app);
    return workersOf(service, await openWorkers(service, { tokens, only }));
  } catch (error) {
    await app.close();
    throw error;
  }
}

function workersOf({ app, metrics }: Service, { isRunning, readiness, wake, close }: RunningWorkers): Workers {
  const workers: Workers = {
    ...{ isRunning, readiness, wake, metrics: metrics.render },
    async close({ timeoutMs = app.config.shutdownTimeoutMs } = {}) {
      await close({ timeoutMs });
      await closeInTime(app, 0);
    },
    [Symbol.asyncDispose]: () => workers.close(),
  };
  return workers;
}

function configOf({ redisUrl, queuePrefix }: Pick<CreateWorkersOptions, 'redisUrl' | 'queuePrefix'>): Config {
  return loadWorkersConfig(
    withSettings(process.env, {
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
      ...(queuePrefix !== undefined && { QUEUE_PREFIX: queuePrefix }),
    }),
  );
}
