import type { TokenSource } from '../core/ports.ts';
import type { RunningWorkers } from './runtime/start-workers.ts';
import type { WorkerKind } from './runtime/worker-kinds.ts';

/** What may be told to workers in a process of one's own. What is left out comes from the environment. */
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
export interface Workers extends Pick<RunningWorkers, 'isRunning' | 'readiness'> {
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
}

/**
 * Runs workers in this process, with the settings of the environment. They take no signals: close them at your own end.
 *
 * @throws ConfigError when a setting is wrong, with every problem; RedisUnavailableError
 * @example
 * const workers = await createWorkers({ tokens: { accessToken: async (account) => await myTokenFor(account) } });
 * process.once('SIGTERM', () => workers.close());
 */
export async function createWorkers(options: CreateWorkersOptions = {}): Promise<Workers> {
  // Loaded when called: who only wants the types, or to put workers together alone, needs none of it.
  const { openStandAloneWorkers } = await import('../app/stand-alone-workers.ts');
  return await openStandAloneWorkers(options);
}
