/** The public subpath `tiktok-publisher/workers`: the workers in a process of one's own. */
export type { TokenSource } from '../core/ports.ts';
export { PublishError } from '../core/publish-error.ts';
export { type CreateWorkersOptions, createWorkers, type Workers } from './create-workers.ts';
export type { WorkerDeps, WorkerSettings } from './deps.ts';
export type { ProbeRedis, Readiness } from './readiness.ts';
export {
  type RunningWorkers,
  type StartWorkersOptions,
  startWorkers,
  WORKER_KINDS,
  type WorkerKind,
} from './start-workers.ts';
