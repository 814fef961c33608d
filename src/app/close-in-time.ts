import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_MS } from '../core/units.ts';
import type { App } from './open-app.ts';

/** For what follows the drain: closing connections, and a Redis of our own writing its data to disk. */
const CLOSE_GRACE_MS = 3 * SECOND_MS;

/**
 * Closes a process's parts. What must be handed back waits for Redis; a Redis that is gone must not hold the process.
 * @param drainMs how long its workers may take to drain
 */
export async function closeInTime({ close, log }: Pick<App, 'close' | 'log'>, drainMs: number): Promise<void> {
  const deadline = new AbortController();
  const late = sleep(drainMs + CLOSE_GRACE_MS, 'late', { signal: deadline.signal }).catch(() => 'done');
  const outcome = await Promise.race([close().then(() => 'done'), late]);
  deadline.abort();
  if (outcome === 'done') log.info('stopped');
  else log.warn('stopped without closing everything: Redis did not answer in time; other workers take the jobs over');
}
