import type { PublishError } from '../core/publish-error.ts';
import { nextRetry } from '../core/retry-policy.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { SWEEP_AFTER_MS } from '../ledger/ledger.ts';
import type { LedgerPatch } from '../ledger/record.ts';
import { failUnlessItMayAppear } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';
import type { Settlement } from './settlement.ts';

/** Tries again after a backoff, which burns an attempt; the last one fails the job with the error at hand. */
export async function retryLater(
  job: OwnedJob,
  error: PublishError,
  deps: WorkerDeps,
  patch: LedgerPatch = {},
): Promise<Settlement> {
  const attempts = job.record.attempts + 1;
  const chance = { random: deps.random, retryAfterMs: error.details.retryAfterMs };
  const next = nextRetry(error.row, attempts, chance, deps.settings.retryPolicy);
  if (next.kind === 'give_up') return await failUnlessItMayAppear(job, error, deps);
  const at = deps.clock.now() + next.delayMs;
  await stepAside(job, {
    at,
    cause: { event: 'attempt_failed', attempt: attempts, code: error.code, message: error.message, retryAt: iso(at) },
    // Whatever it waited for before, it waits for its next attempt now.
    patch: { ...patch, attempts, waitingFor: undefined, waitingUntil: at },
  });
  const facts = { publishJobId: job.record.id, code: error.code, attempt: attempts, retryAt: iso(at) };
  deps.log.warn(facts, 'attempt failed');
  return { kind: 'later', at };
}

/** Leaves the worker: a job that TikTok knows nothing of is `queued` again, any other keeps its state. */
export async function stepAside(
  job: OwnedJob,
  { at, cause, patch }: { at: number; cause: TimelineFact; patch: LedgerPatch },
): Promise<void> {
  const next = { ...job.record, ...patch };
  const known = next.publishId !== undefined;
  await job.commit({
    ...(known || job.record.state === 'scheduled' ? {} : { to: 'queued' as const }),
    cause,
    patch: { ...patch, ...(known ? {} : { initIntendedAt: undefined }) },
    dueAt: at + SWEEP_AFTER_MS,
  });
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
