import type { WorkerKind } from '../workers/index.ts';

/** What `worker --only` takes; kept apart from the workers, which are slow to load. */
export const WORKER_KIND_NAMES = ['upload', 'status', 'events'] as const satisfies readonly WorkerKind[];
