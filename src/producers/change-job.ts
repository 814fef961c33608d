import { planCancel } from '../core/cancel-plan.ts';
import { publishEntryOf, referenceTo } from '../core/job-reference.ts';
import type { OperationWay } from '../core/operation.ts';
import { jobNotFound, PublishError } from '../core/publish-error.ts';
import type { PublishState } from '../core/publish-state.ts';
import { planRetry } from '../core/retry-plan.ts';
import { type Change, endChange, NO_SESSION } from '../ledger/change.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { LedgerPatch, LedgerRecord } from '../ledger/record.ts';
import type { Lanes } from '../limits/lanes.ts';
import { wakeJobs } from '../limits/wake-jobs.ts';
import type { EnqueueDeps } from './enqueue.ts';
import type { RetryAction } from './publisher.ts';

export type ChangeDeps = Pick<EnqueueDeps, 'clock' | 'ledger' | 'queues'> & { readonly lanes: Lanes };

/** A job may move on between our look and our change; then we look again, at most so often. */
const MAX_LOOKS = 5;

/** On whose behalf a job is changed. */
export interface Origin {
  readonly by: string | undefined;
  /** Id of the operation on many jobs whose part the change is. */
  readonly operation?: string | undefined;
}

/** What a change says of its origin. */
export function withinOperation({ operation }: Origin, way: OperationWay): Pick<Change, 'operation'> {
  return operation === undefined ? {} : { operation: { id: operation, way } };
}

/**
 * Cancels a job where that is certain to keep it from being published, or asks TikTok to stop a running pull.
 * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_CANCELLABLE` with the reason
 */
export async function cancelJob(id: string, by: string | undefined, deps: ChangeDeps): Promise<void> {
  await changing(id, deps.ledger, (record) => cancelAsItIs(record, { by }, deps));
}

/** Cancels a job that was just read. @throws PublishError `JOB_NOT_CANCELLABLE`, `INTERNAL_OVERTAKEN` */
export async function cancelAsItIs(record: LedgerRecord, origin: Origin, deps: ChangeDeps): Promise<void> {
  const { by } = origin;
  const plan = planCancel(record);
  switch (plan.kind) {
    case 'refuse':
      throw new PublishError('JOB_NOT_CANCELLABLE', { reason: plan.reason });
    case 'is_cancelled':
      // The earlier call may have failed because this was not confirmed.
      await deps.ledger.confirmIntervention(record, 'state');
      return;
    case 'now': {
      const change = {
        ...endChange(record, { to: 'cancelled', by }, deps.clock.now()),
        ...withinOperation(origin, 'cancel'),
      };
      await deps.ledger.confirmIntervention(await deps.ledger.intervene(record, change), 'state');
      await giveTurnAway(record, deps).catch(() => undefined);
      return;
    }
    case 'ask_tiktok':
      await deps.ledger.confirmIntervention(
        await deps.ledger.annotate(record, {
          cause: { event: 'cancel_requested', ...(by !== undefined && { by }) },
          patch: { cancelRequestedAt: deps.clock.now(), cancelAskedAt: undefined },
          ...withinOperation(origin, 'ask_tiktok'),
        }),
        'cancelRequestedAt',
      );
      await deps.queues.wakeStatusEntry(record.id).catch(() => undefined);
  }
}

/** Takes the job off its queues and lets the next of its account begin; should that fail, the sweep does it. */
async function giveTurnAway({ id, account }: LedgerRecord, deps: Omit<ChangeDeps, 'clock'>): Promise<void> {
  await deps.queues.removeEntries(id);
  await wakeJobs(await deps.lanes.leave(account, id), deps);
}

/**
 * Retries a failed or unconfirmed job in the way that can't post twice.
 * @throws PublishError `JOB_NOT_FOUND`, `JOB_NOT_RETRYABLE` with the reason
 */
export async function retryJob(
  id: string,
  { force, by }: { readonly force: boolean; readonly by: string | undefined },
  deps: Omit<ChangeDeps, 'lanes'>,
): Promise<RetryAction> {
  return await changing(id, deps.ledger, (record) => retryAsItIs(record, { by, force }, deps));
}

/** Retries a job that was just read. @throws PublishError `JOB_NOT_RETRYABLE`, `INTERNAL_OVERTAKEN` */
export async function retryAsItIs(
  record: LedgerRecord,
  { force = false, ...origin }: Origin & { readonly force?: boolean },
  deps: Omit<ChangeDeps, 'lanes'>,
): Promise<RetryAction> {
  const { by } = origin;
  const now = deps.clock.now();
  const plan = planRetry(record, { force, now });
  if (plan.kind === 'refuse') throw new PublishError('JOB_NOT_RETRYABLE', { reason: plan.reason });
  const { to, patch } = restart(plan.kind, now);
  const changed = await deps.ledger.intervene(record, {
    to,
    cause: { event: 'retry_requested', action: plan.kind, forced: force, ...(by !== undefined && { by }) },
    patch: { ...patch, ...NOT_ENDED, retriedAt: now },
    ...withinOperation(origin, plan.kind),
  });
  await deps.ledger.confirmIntervention(changed, 'retriedAt');
  await requeue(record, plan.kind, deps.queues).catch(() => undefined);
  return plan.kind;
}

/** Clears the outcome, and a wish to cancel that is older than the retry. */
const NOT_ENDED: LedgerPatch = {
  ...{ failure: undefined, endedAt: undefined, attempts: 0, recheckCount: undefined },
  ...{ cancelRequestedAt: undefined, cancelAskedAt: undefined },
};

function restart(action: RetryAction, now: number): { to: PublishState; patch: LedgerPatch } {
  // A job that published the same video since this one failed goes first.
  const claimedVideo = undefined;
  if (action === 'fresh_init')
    return { to: 'queued', patch: { ...NO_SESSION, claimedVideo, initCount: 0, restartedFor: undefined } };
  if (action === 'resume') return { to: 'uploading', patch: { claimedVideo } };
  return { to: 'processing', patch: { processingSince: now, pollCount: 0, nextPollAt: undefined } };
}

/** Puts the job on its queue; should that fail, the sweep does it. */
async function requeue(record: LedgerRecord, action: RetryAction, queues: Queues): Promise<void> {
  await queues.removeEntries(record.id);
  if (action === 'poll') await queues.replaceStatusEntry(referenceTo(record), 0);
  else await queues.replacePublishEntry(publishEntryOf(record, 0));
}

/** Decides on a job as it is now, again where it moved on meanwhile. @throws PublishError `JOB_NOT_FOUND` */
export async function changing<T>(
  id: string,
  ledger: Ledger,
  change: (record: LedgerRecord) => Promise<T>,
): Promise<T> {
  for (let look = 1; ; look += 1) {
    const record = await ledger.read(id);
    if (record === undefined) throw jobNotFound(id);
    try {
      return await change(record);
    } catch (error) {
      const moved = error instanceof PublishError && error.row.verdict === 'superseded';
      if (!moved || look === MAX_LOOKS) throw error;
    }
  }
}
