import type { OperationOutcome, ParsedOperation } from '../core/operation.ts';
import { newTimeOf, planOperation, refusalOf } from '../core/operation-plan.ts';
import { toPublishError } from '../core/publish-error.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import type { OperationStore, StoredOperation } from '../ledger/operations.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { type ChangeDeps, cancelAsItIs, changing, type Origin, retryAsItIs } from './change-job.ts';
import { updateAsItIs } from './update-job.ts';

type OperateDeps = ChangeDeps & { readonly operations: Pick<OperationStore, 'settle'> };

/**
 * Does the part of an operation that concerns one job, if that is still to be done.
 * @returns what became of the job; undefined: its record decides again, or there was nothing left to do
 * @throws what keeps it from being done now, such as an outage; then the job is left for later
 */
export async function operateOnJob(
  id: string,
  stored: StoredOperation,
  deps: OperateDeps,
): Promise<OperationOutcome | undefined> {
  const { operation, request } = stored;
  try {
    return await changing(id, deps.ledger, async (record) => {
      const { way, refusal } = planOperation(record, request, deps.clock.now());
      if (way === undefined || way === 'unchanged') {
        await deps.operations.settle(operation.id, id, refusal ?? 'unchanged');
        return refusal === undefined ? 'unchanged' : 'refused';
      }
      await change(record, request, { by: operation.by ?? undefined, operation: operation.id }, deps);
      return 'changed';
    });
  } catch (error) {
    const failure = redisTroubleOf(error) ?? toPublishError(error);
    // Somebody else works on the job: its record decides again.
    if (failure.row.verdict === 'superseded') return undefined;
    if (failure.code === 'REDIS_UNAVAILABLE' || failure.row.verdict === 'wait') throw failure;
    await deps.operations.settle(operation.id, id, refusalOf(failure));
    return 'refused';
  }
}

async function change(
  record: LedgerRecord,
  request: ParsedOperation,
  origin: Origin,
  deps: ChangeDeps,
): Promise<unknown> {
  switch (request.kind) {
    case 'retry':
      return await retryAsItIs(record, origin, deps);
    case 'cancel':
      return await cancelAsItIs(record, origin, deps);
    case 'reschedule':
      return await updateAsItIs(record, { scheduledAt: newTimeOf(record.request, request) }, origin, deps);
  }
}
