/** The public subpath `tiktok-publisher/workers`: the workers in a process of one's own. */
export type { TokenSource } from '../core/ports.ts';
/** What a token source throws. */
export { PublishError } from '../core/publish-error.ts';
export { type CreateWorkersOptions, createWorkers, type Workers } from './create-workers.ts';
export type { Readiness } from './runtime/readiness.ts';
export type { WorkerKind } from './runtime/worker-kinds.ts';
