import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { AdoptionResult, DeliveryResult, EntryResult, Settlement } from '../../core/settlement.ts';
import { SECOND_MS } from '../../core/units.ts';

/** How soon an entry is looked at again whose job was changed by somebody else. */
const LOOK_AGAIN_MS = SECOND_MS;
/** Longest reason that Bull Board and Redis are given. */
const MAX_REASON_CHARS = 500;

/** A failure that is to be repeated after a pause of our choice. */
class RetryAfterError extends Error {
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.name = 'RetryAfterError';
    this.delayMs = delayMs;
  }
}

/** For an entry that runs again at a time (ms since the epoch): the worker moves it, and fetches the next in the same call. */
export class RunAgain extends DelayedError {
  readonly at: number;
  /** Called once the entry lies in the queue again. */
  readonly afterwards: (() => Promise<void>) | undefined;

  constructor(at: number, afterwards?: () => Promise<void>) {
    super();
    this.at = at;
    this.afterwards = afterwards;
  }
}

/** BullMQ's backoff strategy for entries that are settled with `retry`: the pause that the settlement named (ms). */
export function pauseOfRetry(_attemptsMade: number, _type?: string, error?: Error): number {
  return error instanceof RetryAfterError ? error.delayMs : LOOK_AGAIN_MS;
}

/**
 * Turns a settlement into BullMQ's own: the only place that uses its control-flow errors.
 * @returns the entry's result when it is done; throws what BullMQ expects otherwise
 */
export async function settleJob(
  job: Job,
  token: string,
  settlement: Settlement,
): Promise<EntryResult | AdoptionResult | DeliveryResult> {
  switch (settlement.kind) {
    case 'done':
      return settlement.result;
    case 'failed': {
      const { code, message } = settlement.failure;
      throw new UnrecoverableError(`${code}: ${message}`.slice(0, MAX_REASON_CHARS));
    }
    case 'retry': {
      const { code, message } = settlement.failure;
      throw new RetryAfterError(`${code}: ${message}`.slice(0, MAX_REASON_CHARS), settlement.delayMs);
    }
    case 'later':
      throw new RunAgain(settlement.at, settlement.afterwards);
    case 'lost':
      // If our lock is gone this fails, rightly: the entry belongs to another worker.
      await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token).catch(() => undefined);
      throw new DelayedError();
  }
}
