import { SECOND_MS } from '../../core/units.ts';

/** When the owner of a job counts as dead, and who takes over. */
export interface Recovery {
  /** How long BullMQ's lock on an entry lasts without renewal (ms); renewed at half of it. */
  readonly lockDurationMs: number;
  /** How often entries without a lock are looked for (ms). */
  readonly stalledIntervalMs: number;
  /** How often the sweep looks for jobs that nothing looks after (ms). */
  readonly sweepEveryMs: number;
}

/** Measured: after SIGKILL another worker starts 8 to 11 s later. */
export const DEFAULT_RECOVERY: Recovery = {
  lockDurationMs: 10 * SECOND_MS,
  stalledIntervalMs: 3 * SECOND_MS,
  sweepEveryMs: 5 * SECOND_MS,
};

/** BullMQ renews a lock when half of it is over, so that at any time at least the other half is left. */
const LEAST_SHARE_OF_LOCK = 0.5;
/** Less than that. */
const LEASE_SHARE_OF_LOCK = 0.4;
const PROOFS_PER_LEASE = 4;

/** How long one proof of ownership lasts, and how often it is renewed (ms). */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewEveryMs: number;
  /** After so long without a proof the lock may be gone, and another worker may start at any moment. */
  readonly lockMayEndAfterMs: number;
}

/** An owner cut off from Redis must fall silent before another one can start. */
export function leaseTimes({ lockDurationMs }: Recovery): LeaseTimes {
  const leaseMs = lockDurationMs * LEASE_SHARE_OF_LOCK;
  const lockMayEndAfterMs = lockDurationMs * LEAST_SHARE_OF_LOCK;
  return { leaseMs, renewEveryMs: leaseMs / PROOFS_PER_LEASE, lockMayEndAfterMs };
}
