import type { CreateWorkersOptions, Workers } from '../app/stand-alone-workers.ts';

/** The public subpath `tiktok-publisher/workers`: workers in another app's process. */
export type { CreateWorkersOptions, Workers } from '../app/stand-alone-workers.ts';
/** What is thrown when a setting is wrong. */
export { ConfigError } from '../config/config-error.ts';
export type { TokenSource } from '../core/ports.ts';
/** What a token source throws. */
export { PublishError } from '../core/publish-error.ts';
export type { Readiness } from './runtime/readiness.ts';
export type { WorkerKind } from './runtime/worker-kinds.ts';

/**
 * Runs workers in this process, with the settings of the environment. They take no signals: close them at your own end.
 *
 * @throws ConfigError when a setting is wrong, with every problem; RedisUnavailableError
 * @example
 * const workers = await createWorkers({ tokens: { accessToken: async (account) => await myTokenFor(account) } });
 * process.once('SIGTERM', () => workers.close());
 */
export async function createWorkers(options: CreateWorkersOptions = {}): Promise<Workers> {
  // Loaded when called, so that importing the types loads nothing.
  const { openStandAloneWorkers } = await import('../app/stand-alone-workers.ts');
  return await openStandAloneWorkers(options);
}
