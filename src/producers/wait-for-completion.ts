import { orAbort, withDeadline } from '../core/deadline.ts';
import { jobNotFound, PublishError } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import { SECOND_MS } from '../core/units.ts';
import { createWakeSignal } from '../core/wake-signal.ts';
import { unlessRedisIsAway } from '../redis/redis-unavailable.ts';
import { publisherClosed } from './closed.ts';
import type { EventTail } from './event-tail.ts';
import type { WaitOptions } from './publisher.ts';

const RETRY_MS = SECOND_MS / 2;

interface WaitDeps {
  readonly tail: EventTail;
  readonly read: (id: string) => Promise<PublishJob | undefined>;
}

/**
 * Resolves with a job once it has its outcome; outages of Redis are waited out.
 * @throws PublishError `JOB_NOT_FOUND`, `WAIT_TIMED_OUT`; rejects with the signal's reason when aborted
 */
export async function waitForCompletion(
  id: string,
  { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions,
  deps: WaitDeps,
): Promise<PublishJob> {
  checkTimeout(timeoutMs);
  signal?.throwIfAborted();
  const reason = () => new PublishError('WAIT_TIMED_OUT', { reason: `job ${id} did not end within ${timeoutMs} ms` });
  // `orAbort`, because Redis may never answer.
  return await withDeadline({ withinMs: timeoutMs, reason, signal }, (end) =>
    orAbort(lookUntilEnded(id, end, deps), end),
  );
}

async function lookUntilEnded(id: string, end: AbortSignal, { tail, read }: WaitDeps): Promise<PublishJob> {
  const wakeSignal = createWakeSignal();
  // Listening starts before the look, so that nothing happens unseen between the two.
  const stopListening = tail.listen((news) => {
    if (news === undefined || news.ended.has(id)) wakeSignal.notify();
  });
  end.addEventListener('abort', wakeSignal.notify);
  try {
    for (;;) {
      end.throwIfAborted();
      const job = await unlessRedisIsAway(() => readPresent(id, read));
      if (job === undefined) setTimeout(wakeSignal.notify, RETRY_MS);
      else if (isTerminal(job.state)) return job;
      await wakeSignal.wait();
      if (tail.isClosed()) throw publisherClosed();
    }
  } finally {
    stopListening();
  }
}

function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return;
  const message = 'expected a number of milliseconds, 0 or more';
  throw new PublishError('INPUT_INVALID', { problems: [{ path: 'timeoutMs', message }] });
}

async function readPresent(id: string, read: WaitDeps['read']): Promise<PublishJob> {
  const job = await read(id);
  if (job === undefined) throw jobNotFound(id);
  return job;
}
