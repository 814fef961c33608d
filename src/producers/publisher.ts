import type { PublishJob } from '../core/publish-job.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { PublishState } from '../core/publish-state.ts';

/** What `enqueue` answers: the job, and whether this call made it. */
export interface EnqueuedJob extends PublishJob {
  /** False when the idempotency key had been seen with the same request. */
  readonly created: boolean;
}

export interface EnqueueOptions {
  /** The same key with the same request gives the same job; with another request `IDEMPOTENCY_CONFLICT`. */
  readonly idempotencyKey?: string;
}

/** One entry of `enqueueBulk`. */
export interface BulkEntry extends EnqueueOptions {
  readonly request: PublishRequest;
}

export interface ListFilter {
  readonly account?: string;
  readonly state?: PublishState;
  /** Most jobs to return; default 50, at most 500. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A page of jobs, newest first. */
export interface JobPage {
  readonly jobs: readonly PublishJob[];
  readonly nextCursor: string | null;
}

export interface WaitOptions {
  /** Longest wait in ms; without it there is none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The producers' side: what other apps use. Holds two Redis connections and no worker code. */
export interface Publisher {
  /**
   * Accepts a request durably: when this resolves, the job survives anything.
   * @throws PublishError `INPUT_*`, `IDEMPOTENCY_CONFLICT`, `REDIS_UNAVAILABLE`
   */
  enqueue(request: PublishRequest, options?: EnqueueOptions): Promise<EnqueuedJob>;
  /** Like `enqueue` for many at once; nothing is accepted unless every request is valid. Answers keep the order. */
  enqueueBulk(entries: readonly (PublishRequest | BulkEntry)[]): Promise<EnqueuedJob[]>;
  get(id: string): Promise<PublishJob | undefined>;
  list(filter?: ListFilter): Promise<JobPage>;
  /**
   * Resolves with the job once it has its outcome (any terminal state, failures included).
   * @throws PublishError `JOB_NOT_FOUND`, `WAIT_TIMED_OUT`; rejects with the signal's reason when aborted
   */
  waitForCompletion(id: string, options?: WaitOptions): Promise<PublishJob>;
  close(): Promise<void>;
}
