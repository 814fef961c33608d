import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_MS } from '../../core/units.ts';
import type { WatchedWorker } from './watched-worker.ts';

/** How long a job that was aborted or has ended has to be handed back (ms). */
const HAND_BACK_MS = 3 * SECOND_MS;

export interface CloseWorkersOptions {
  /** What still runs after this is aborted (ms). */
  readonly timeoutMs: number;
  /** What ends together with the workers. */
  readonly others: readonly (Promise<void> | undefined)[];
  /** What ends after them: the ledger is watched to the end, since jobs go on until then. */
  readonly last: () => Promise<void>;
}

/** Lets the workers end. BullMQ's close may wait for a Redis that went away, which is waited for no longer than it takes. */
export async function closeWorkers(
  workers: readonly WatchedWorker[],
  { timeoutMs, others, last }: CloseWorkersOptions,
): Promise<void> {
  const closed = Promise.all([...workers.map((worker) => worker.close()), ...others]).then(last);
  const deadline = setTimeout(() => {
    for (const worker of workers) worker.cancelAllJobs('shutdown');
  }, timeoutMs);
  // What it still holds then is taken over when its locks run out.
  const patience = new AbortController();
  const wait = (ms: number) => sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined);
  const givenUp = Promise.race([untilNothingMoves(workers, wait), wait(timeoutMs + HAND_BACK_MS)]);
  const isClosed = await Promise.race([closed.then(() => true), givenUp.then(() => false)]);
  clearTimeout(deadline);
  patience.abort();
  if (!isClosed) await Promise.all(workers.map((worker) => worker.abandon()));
}

/** Resolves once no job has run for as long as handing one back may take: a fetch may have been under way. */
async function untilNothingMoves(
  workers: readonly WatchedWorker[],
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  do {
    await Promise.all(workers.map((worker) => worker.untilIdle()));
    await wait(HAND_BACK_MS);
  } while (!workers.every((worker) => worker.isIdle));
}
