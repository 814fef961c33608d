import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OwnedJob } from '../../../src/workers/owned-job.ts';
import { startLease } from '../../../src/workers/publish/lease.ts';
import { leaseTimes } from '../../../src/workers/runtime/recovery.ts';
import { rejection } from '../../support/rejection.ts';

const LOCK_MS = 3_600_000;
afterEach(() => vi.restoreAllMocks());

/** A lease on a job that the ledger says is ours, on a clock that the test sets. */
function start({ provenAt = 0 } = {}) {
  let nowMs = 0;
  let proofs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const job = {
    provenAt,
    async note() {
      proofs += 1;
    },
  } as unknown as OwnedJob;
  const times = leaseTimes({ lockDurationMs: LOCK_MS, stalledIntervalMs: LOCK_MS, sweepEveryMs: LOCK_MS });
  const lease = startLease(job, times, () => ({}));
  return {
    lease,
    pass(ms: number) {
      nowMs += ms;
    },
    proofs: () => proofs,
  };
}

describe('the lease of an upload', () => {
  it('asks the ledger when its proof is too old, and holds on', async () => {
    const { lease, pass, proofs } = start();
    await lease.ensureHeld();
    pass(0.45 * LOCK_MS);
    await lease.ensureHeld();
    expect(proofs()).toBe(1);
    expect(lease.signal.aborted).toBe(false);
    lease.stop();
  });

  it('ends for a process that slept until its lock may have ended, whatever the ledger still says', async () => {
    const { lease, pass, proofs } = start();
    await lease.ensureHeld();
    pass(0.55 * LOCK_MS);
    expect((await rejection(lease.ensureHeld())).code).toBe('INTERNAL_OVERTAKEN');
    expect(lease.signal.aborted).toBe(true);
    expect(proofs()).toBe(0);
    lease.stop();
  });

  it('that starts from an old proof asks the ledger before the first byte, or gives up', async () => {
    const old = start({ provenAt: -0.45 * LOCK_MS });
    await old.lease.ensureHeld();
    expect(old.proofs()).toBe(1);
    old.lease.stop();
    const tooOld = start({ provenAt: -0.55 * LOCK_MS });
    expect((await rejection(tooOld.lease.ensureHeld())).code).toBe('INTERNAL_OVERTAKEN');
    tooOld.lease.stop();
  });
});
