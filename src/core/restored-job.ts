import { exposureOf, type SessionFacts } from './exposure.ts';
import { CLOCK_MARGIN_MS } from './ledger-version.ts';
import { isTerminal } from './publish-state.ts';

/** What is known of a job in a ledger that was set back. */
export interface RestoredSubject extends SessionFacts {
  readonly createdAt: number;
  readonly scheduledAt?: number | undefined;
}

/**
 * What happens to a job of a restored backup. `keep`: nothing of it was sent since. `ask`: query the status of its
 * publish_id. `unconfirmed`: it may have been published, and there is no way to know.
 */
export type RestoredPlan = 'keep' | 'ask' | 'unconfirmed';

/**
 * @param times.now ms since the epoch
 * @param times.restoredAfter when workers last saw the newer state: the backup is older than that
 */
export function planForRestored(job: RestoredSubject, times: { now: number; restoredAfter: number }): RestoredPlan {
  if (isTerminal(job.state)) return 'keep';
  if (job.createdAt > times.restoredAfter + CLOCK_MARGIN_MS) return 'keep';
  const exposure = exposureOf(job);
  if (exposure === 'open' || exposure === 'may_appear') return 'ask';
  if (job.state === 'scheduled' && job.scheduledAt !== undefined && job.scheduledAt > times.now) return 'keep';
  return 'unconfirmed';
}
