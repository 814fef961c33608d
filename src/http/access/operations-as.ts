import { type AuditFact, type Caller, mayTouch } from '../../core/access.ts';
import type { JobFilter } from '../../core/job-filter.ts';
import type { Operation, OperationRequest } from '../../core/operation.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { Operations } from '../../producers/operations.ts';

/** Writes a line of the audit trail. */
export type AddLine = (fact: AuditFact) => Promise<void>;

/** Dry runs of one caller at a time: each may read 100,000 jobs. */
const MAX_PREVIEWS = 2;
/** How many run in this process, by who asked for them. */
const previews = new WeakMap<Operations, Map<string, number>>();

/** Operations as one caller may use them: jobs of other accounts, and operations on them, do not exist. */
export function operationsAs(operations: Operations, caller: Caller, addLine: AddLine): Operations {
  const { by } = caller;

  function own(request: OperationRequest): OperationRequest {
    const account = accountsIn(request.filter, caller);
    if (account === undefined) return request;
    if (account.length === 0) {
      throw new PublishError('INPUT_ACCOUNT_UNKNOWN', { reason: 'no account that the filter names is connected' });
    }
    return { ...request, filter: { ...request.filter, account } };
  }

  const isOwn = ({ filter: { account = [] } }: Operation): boolean =>
    caller.accounts === undefined || (account.length > 0 && account.every((each) => mayTouch(caller, each)));

  async function get(id: string): Promise<Operation> {
    const operation = await operations.get(id);
    if (!isOwn(operation)) throw new PublishError('OPERATION_NOT_FOUND');
    return operation;
  }

  return {
    get,
    async preview(request, page) {
      const mine = own(request);
      const release = takePreview(operations, by);
      return await operations.preview(mine, page).finally(release);
    },
    list: async () => (await operations.list()).filter(isOwn),
    async start(request, options) {
      const operation = await operations.start(own(request), { ...options, by });
      if (!operation.created) return operation;
      const { kind, filter, scheduledAt, shiftMs } = operation;
      const times = { ...(scheduledAt !== null && { scheduledAt }), ...(shiftMs !== null && { shiftMs }) };
      await addLine({ ...lineOf(operation), action: 'operation.start', by, after: { kind, filter, ...times } });
      return operation;
    },
    async abort(id) {
      const before = await get(id);
      const after = await operations.abort(id, { by });
      if (after.state === before.state) return after;
      await addLine({ ...lineOf(after), action: 'operation.abort', by, after: { doneCount: after.doneCount } });
      return after;
    },
  };
}

/** @returns gives the place back @throws PublishError `OPERATION_LIMIT` while the caller has enough of them */
function takePreview(operations: Operations, by: string): () => void {
  const running = previews.get(operations) ?? new Map<string, number>();
  previews.set(operations, running);
  const count = running.get(by) ?? 0;
  if (count >= MAX_PREVIEWS) {
    throw new PublishError('OPERATION_LIMIT', { reason: `${MAX_PREVIEWS} dry runs of ${by} are under way` });
  }
  running.set(by, count + 1);
  return () => {
    const left = (running.get(by) ?? 1) - 1;
    if (left > 0) running.set(by, left);
    else running.delete(by);
  };
}

/** The accounts that a filter asks for and that are the caller's; undefined: all there are. */
export function accountsIn({ account }: Pick<JobFilter, 'account'>, caller: Caller): readonly string[] | undefined {
  const asked = account === undefined ? caller.accounts : [account].flat();
  return asked?.filter((each) => mayTouch(caller, each));
}

function lineOf({ id, filter }: Operation): Pick<AuditFact, 'subject' | 'account' | 'before'> {
  const [account = null, ...others] = filter.account ?? [];
  return { subject: id, account: others.length === 0 ? account : null, before: null };
}
