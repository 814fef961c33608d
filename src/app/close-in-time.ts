import { orLate } from '../core/deadline.ts';
import { SECOND_MS } from '../core/units.ts';
import type { App } from './open-app.ts';

/** For what follows the drain: closing connections, and a Redis of our own writing its data to disk. */
const CLOSE_GRACE_MS = 3 * SECOND_MS;

/**
 * Closes a process's parts. What must be handed back waits for Redis; a Redis that is gone must not hold the process.
 * @param drainMs how long its workers may take to drain
 */
export async function closeInTime({ close, log }: Pick<App, 'close' | 'log'>, drainMs: number): Promise<void> {
  const closing = close().then(() => true);
  if (await orLate(closing, { withinMs: drainMs + CLOSE_GRACE_MS, late: () => false })) log.info('stopped');
  else
    log.warn(
      'stopped without closing all parts because Redis did not respond in time; other workers will take over the jobs',
    );
}
