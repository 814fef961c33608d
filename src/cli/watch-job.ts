import { setTimeout as sleep } from 'node:timers/promises';
import { jobNotFound } from '../core/publish-error.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import { codeOf } from '../core/system-error.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { Publisher } from '../producers/publisher.ts';

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** How often to look, in ms; by default 250. */
  readonly intervalMs?: number;
  /** Called when Redis goes away, and when it is back. */
  readonly onOutage?: (isAway: boolean) => void;
}

const INTERVAL_MS = SECOND_MS / 4;
/** How long Redis may be away before watching gives up. */
const OUTAGE_PATIENCE_MS = MINUTE_MS;

/**
 * Yields a job whenever something about it has changed, lastly with its outcome.
 * @throws PublishError `JOB_NOT_FOUND`, `REDIS_UNAVAILABLE` after a minute without Redis; the signal's reason when aborted
 */
export async function* watchJob(
  publisher: Pick<Publisher, 'get'>,
  id: string,
  { signal, intervalMs = INTERVAL_MS, onOutage }: WatchOptions,
): AsyncGenerator<PublishJob, void, void> {
  let shown = '';
  let awaySince: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    const job = await publisher.get(id).catch((error: unknown) => {
      if (codeOf(error) !== 'REDIS_UNAVAILABLE') throw error;
      if (awaySince === undefined) onOutage?.(true);
      awaySince ??= performance.now();
      if (performance.now() - awaySince > OUTAGE_PATIENCE_MS) throw error;
      return 'away' as const;
    });
    if (job === undefined) throw jobNotFound(id);
    if (job !== 'away') {
      if (awaySince !== undefined) onOutage?.(false);
      awaySince = undefined;
      const view = JSON.stringify(job);
      if (view !== shown) yield job;
      shown = view;
      if (isTerminal(job.state)) return;
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
