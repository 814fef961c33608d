import { performance } from 'node:perf_hooks';
import { PublishError } from '../../core/publish-error.ts';
import type { LedgerProgress } from '../../ledger/record.ts';
import type { OwnedJob } from '../owned-job.ts';
import type { LeaseTimes } from '../runtime/recovery.ts';

/** The right to send bytes, proven to the ledger again and again. */
export interface Lease {
  /** Aborted when the job was overtaken. */
  readonly signal: AbortSignal;
  /**
   * Resolves while the job is provably ours; asks the ledger when the last proof is too old.
   * @throws PublishError `INTERNAL_OVERTAKEN`
   */
  ensureHeld(): Promise<void>;
  stop(): void;
}

/**
 * Keeps proving that a job is ours, and notes its progress along the way.
 * @param progress asked at each proof
 */
export function startLease(
  job: OwnedJob,
  { leaseMs, renewEveryMs, lockMayEndAfterMs }: LeaseTimes,
  progress: () => LedgerProgress,
): Lease {
  const ended = new AbortController();
  // Monotonic and counting on while the process is frozen, unlike timers.
  let { provenAt } = job;
  let heldUntil = provenAt + leaseMs;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const askedAt = performance.now();
    try {
      // A process that slept this long may still own the record, but another worker may take it within the next lease.
      if (askedAt - provenAt > lockMayEndAfterMs) {
        throw lockMayHaveEnded();
      }
      await job.note(progress());
      provenAt = askedAt;
      heldUntil = askedAt + leaseMs;
    } catch (error) {
      if (error instanceof PublishError && error.row.verdict === 'superseded') ended.abort(error);
      throw error;
    }
  }

  function renewOnce(): Promise<void> {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  const timer = setInterval(() => {
    // While Redis is away the proof lapses and the bytes stop; nothing else to do here.
    renewOnce().catch(() => undefined);
  }, renewEveryMs);

  return {
    signal: ended.signal,
    async ensureHeld() {
      while (performance.now() >= heldUntil) await renewOnce();
      ended.signal.throwIfAborted();
    },
    stop() {
      clearInterval(timer);
    },
  };
}

/** For a process that slept so long that another worker may take its job within the next lease. */
export function lockMayHaveEnded(): PublishError {
  return new PublishError('INTERNAL_OVERTAKEN', { reason: 'the lock of the queue entry may have ended' });
}
