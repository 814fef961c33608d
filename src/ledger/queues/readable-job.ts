import { Job, type JobProgress, Queue } from 'bullmq';
import { plainOptions } from './entry-options.ts';
import { QUEUE_KEY_NAMES } from './job-ids.ts';

/** In place of data that is no JSON, which a client of another language may store; no request, reference or event. */
const NO_JSON = JSON.stringify('not JSON');

/**
 * BullMQ's entry; one whose data no one can read is shown all the same, and ends like any other that is not valid. Of its
 * options, only those that mean something here.
 */
export class ReadableJob<D, R, N extends string, P extends JobProgress> extends Job<D, R, N, P> {
  static override fromJSON<D, R, N extends string>(
    ...[queue, json, id]: Parameters<typeof Job.fromJSON>
  ): Job<D, R, N> {
    const plain = { ...json, opts: plainOptions(json.opts) };
    try {
      return Job.fromJSON(queue, plain, id);
    } catch {
      return Job.fromJSON(queue, { ...plain, data: NO_JSON }, id);
    }
  }
}

/** BullMQ's queue, of {@link ReadableJob}s. */
export class EntryQueue extends Queue {
  /** Undefined also for what BullMQ names keys of its own after. */
  override async getJob(id: string): Promise<Job | undefined> {
    return QUEUE_KEY_NAMES.includes(id) ? undefined : await super.getJob(id);
  }

  protected override get Job(): typeof Job {
    return ReadableJob;
  }
}
