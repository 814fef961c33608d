/** The kinds of work a process may do. */
export const WORKER_KINDS = ['upload', 'status', 'events'] as const;
export type WorkerKind = (typeof WORKER_KINDS)[number];
