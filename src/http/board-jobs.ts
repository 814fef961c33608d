import type { PublishJob } from '../core/publish-job.ts';
import type { JobPlans } from './console/publish-page.ts';

interface BoardEntry {
  readonly id?: string | undefined;
  /** When it was added (ms since the epoch). */
  readonly timestamp: number;
  readonly data: unknown;
}

/** What the board asks of the ledger, which alone knows what an entry of a queue stands for. */
export interface BoardJobs {
  /** The publish job's id for an entry of the named queue; undefined when it stands for none. */
  idOf(queue: string, entry: BoardEntry): string | undefined;
  /** Publish jobs by their ids, in the order asked; undefined where there is none. */
  find(ids: readonly string[]): Promise<(PublishJob | undefined)[]>;
  /** What the ledger would do with a job; undefined where there is none. */
  plansOf(id: string): Promise<JobPlans | undefined>;
  /**
   * Retries a publish job in the way that can't post twice.
   * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_RETRYABLE` with the reason
   */
  retry(id: string): Promise<void>;
}
