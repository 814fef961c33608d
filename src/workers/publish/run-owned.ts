import { PublishError } from '../../core/publish-error.ts';
import type { Settlement } from '../../core/settlement.ts';
import { Deferral, Handback } from '../../core/step-interrupt.ts';
import type { StopSignals } from './chunk-loop.ts';

/** Reason with which a job's signal is aborted when BullMQ's lock could not be renewed. */
export const LOCK_LOST = 'lock lost';

/**
 * Runs a step of an owned job and settles whatever it throws. An abort is no error of the job: a lost lock means that
 * nothing may be written, a shutdown hands the job back. What TikTok answered before the abort still counts.
 */
export async function runOwned(
  { signal }: Pick<StopSignals, 'signal'>,
  step: () => Promise<Settlement>,
  settle: (thrown: unknown) => Promise<Settlement>,
): Promise<Settlement> {
  try {
    return await step();
  } catch (thrown) {
    if (signal.aborted && signal.reason === LOCK_LOST) return { kind: 'lost' };
    const isAnswer = thrown instanceof PublishError || thrown instanceof Deferral;
    return await settle(signal.aborted && !isAnswer ? new Handback() : thrown);
  }
}
