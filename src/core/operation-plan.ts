import { planCancel } from './cancel-plan.ts';
import { whyUnchangeable } from './job-changes.ts';
import type { OperationRefusal, OperationTotals, OperationWay, ParsedOperation } from './operation.ts';
import type { PublishError } from './publish-error.ts';
import type { PublishRequest } from './publish-request.ts';
import { planRetry } from './retry-plan.ts';
import { refusalOfTime } from './scheduled-time.ts';

/** What an operation does with a job, or why it is refused. */
export type OperationPlan =
  | { readonly way: OperationWay; readonly refusal: undefined }
  | { readonly way: undefined; readonly refusal: OperationRefusal };

type PlannedRecord = Parameters<typeof planRetry>[0] &
  Parameters<typeof whyUnchangeable>[0] & { readonly request: Pick<PublishRequest, 'scheduledAt'> };

/**
 * What an operation does with a job as it is now; a real run decides again by the same functions.
 * @param now ms since the epoch
 */
export function planOperation(job: PlannedRecord, operation: ParsedOperation, now: number): OperationPlan {
  switch (operation.kind) {
    case 'retry': {
      const plan = planRetry(job, { force: false, now });
      return plan.kind === 'refuse' ? refused('JOB_NOT_RETRYABLE', plan.reason) : way(plan.kind);
    }
    case 'cancel': {
      const plan = planCancel(job);
      if (plan.kind === 'refuse') return refused('JOB_NOT_CANCELLABLE', plan.reason);
      if (plan.kind === 'is_cancelled') return way('unchanged');
      return way(plan.kind === 'now' ? 'cancel' : 'ask_tiktok');
    }
    case 'reschedule':
      return planMove(job, operation, now);
  }
}

function planMove(job: PlannedRecord, operation: ParsedOperation, now: number): OperationPlan {
  const reason = whyUnchangeable(job);
  if (reason !== undefined) return refused('JOB_NOT_CHANGEABLE', reason);
  const scheduledAt = newTimeOf(job.request, operation);
  if (scheduledAt === undefined) return refused('JOB_NOT_CHANGEABLE', 'the job has no scheduled time to shift');
  if (scheduledAt === job.request.scheduledAt) return way('unchanged');
  const { notAfter } = job.request;
  if (notAfter !== undefined && Date.parse(notAfter) <= Date.parse(scheduledAt)) {
    return refused('JOB_NOT_CHANGEABLE', 'the new time is not before the notAfter of the job');
  }
  const error = refusalOfTime({ scheduledAt }, now);
  return error === undefined ? way('move') : { way: undefined, refusal: refusalOf(error) };
}

/** When a job starts after an operation moved it (ISO 8601); undefined: it has no time that could be shifted. */
export function newTimeOf(
  { scheduledAt }: Pick<PublishRequest, 'scheduledAt'>,
  operation: Pick<ParsedOperation, 'scheduledAt' | 'shiftMs'>,
): string | undefined {
  if (operation.scheduledAt !== undefined) return operation.scheduledAt;
  if (scheduledAt === undefined || operation.shiftMs === undefined) return undefined;
  return new Date(Date.parse(scheduledAt) + operation.shiftMs).toISOString();
}

/** Why a job was refused, in words that many jobs share: what names a single job stays with its code. */
export function refusalOf({ code, row, details }: PublishError): OperationRefusal {
  return { code, reason: SHARED_REASONS.has(code) ? (details.reason ?? row.message) : row.message };
}

const SHARED_REASONS = new Set<string>(['JOB_NOT_RETRYABLE', 'JOB_NOT_CANCELLABLE', 'JOB_NOT_CHANGEABLE']);

function way(name: OperationWay): OperationPlan {
  return { way: name, refusal: undefined };
}

function refused(code: PublishError['code'], reason: string): OperationPlan {
  return { way: undefined, refusal: { code, reason } };
}

/** Counts what was planned. */
export function createTotals() {
  const ways: Partial<Record<OperationWay, number>> = {};
  const refused = new Map<string, OperationRefusal & { count: number }>();
  return {
    add(plan: OperationPlan): void {
      if (plan.way !== undefined) {
        ways[plan.way] = (ways[plan.way] ?? 0) + 1;
        return;
      }
      const key = `${plan.refusal.code} ${plan.refusal.reason}`;
      const known = refused.get(key);
      if (known === undefined) refused.set(key, { ...plan.refusal, count: 1 });
      else known.count += 1;
    },
    totals: (): OperationTotals => ({
      ways,
      refused: [...refused.values()].sort((one, other) => other.count - one.count),
    }),
  };
}
