import { PublishError } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import type { EventTail } from './event-tail.ts';
import type { WaitOptions } from './publisher.ts';

/**
 * Resolves with a job once it has its outcome; outages of Redis are sat out.
 * @throws PublishError `JOB_NOT_FOUND`, `WAIT_TIMED_OUT`; rejects with the signal's reason when aborted
 */
export async function waitForCompletion(
  id: string,
  { timeoutMs, signal }: WaitOptions,
  { tail, read }: { tail: EventTail; read: (id: string) => Promise<PublishJob | undefined> },
): Promise<PublishJob> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const done = new AbortController();
  const ends = [done.signal, timeout, signal].filter((end) => end !== undefined);
  try {
    for (;;) {
      // Listening starts before the look, so that nothing happens unseen between the two.
      const news = tail.news(id, AbortSignal.any(ends));
      news.catch(() => undefined);
      const job = await readThroughOutage(id, read);
      if (job !== undefined && isTerminal(job.state)) return job;
      await news;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout?.aborted !== true) throw error;
    throw new PublishError('WAIT_TIMED_OUT', { reason: `job ${id} had no outcome within ${timeoutMs} ms` });
  } finally {
    done.abort();
  }
}

/** The job, or undefined while Redis can't be asked. */
async function readThroughOutage(
  id: string,
  read: (id: string) => Promise<PublishJob | undefined>,
): Promise<PublishJob | undefined> {
  let job: PublishJob | undefined;
  try {
    job = await read(id);
  } catch (error) {
    if (error instanceof PublishError && error.code !== 'REDIS_UNAVAILABLE') throw error;
    return undefined;
  }
  if (job === undefined) throw new PublishError('JOB_NOT_FOUND', { reason: `there is no publish job ${id}` });
  return job;
}
