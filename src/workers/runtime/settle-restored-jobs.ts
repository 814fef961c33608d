import type { Clock } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { toFailure } from '../../core/publish-job.ts';
import { ALL_PUBLISH_STATES, isTerminal } from '../../core/publish-state.ts';
import { planForRestored, type RestoredPlan } from '../../core/restored-job.ts';
import { type Change, endChange, nowProcessing } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { OperationStore } from '../../ledger/operations.ts';
import type { Queues } from '../../ledger/queues/queues.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import { wakeJobs } from '../../limits/wake-jobs.ts';
import type { Keys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';

/** At the same time; enough to keep Redis busy. */
const BATCH = 50;

export interface RestoredJobsDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly ledger: Ledger;
  readonly operations: Pick<OperationStore, 'abort' | 'open'>;
  readonly queues: Pick<Queues, 'wakePublishEntry' | 'replacePublishEntry'>;
  readonly clock: Clock;
}

/** The open jobs of a ledger by what becomes of them, and the operations that end. */
export type RestoredJobs = Readonly<Record<RestoredPlan | 'operations', readonly string[]>>;

/**
 * Settles the open jobs of a ledger that was set back, so that none of them is published twice. Called again it does
 * what is left. Operations end: they may have retried since what still shows as failed.
 * @param how.restoredAfter ms since the epoch, see `planForRestored`
 * @param how.cameAfter jobs that are surely not of the backup
 * @param how.apply false: only says what would be done
 */
export async function settleRestoredJobs(
  how: { readonly restoredAfter: number; readonly cameAfter: ReadonlySet<string>; readonly apply: boolean },
  deps: RestoredJobsDeps,
): Promise<RestoredJobs> {
  const jobs: Record<RestoredPlan, string[]> = { keep: [], ask: [], unconfirmed: [] };
  const times = { now: deps.clock.now(), restoredAfter: how.restoredAfter };
  const operations = await deps.operations.open();
  for (const id of how.apply ? operations : []) await deps.operations.abort(id, 'ledger accept');
  const ids = await openJobs(deps);
  for (let at = 0; at < ids.length; at += BATCH) {
    const records = await Promise.all(ids.slice(at, at + BATCH).map((id) => deps.ledger.read(id)));
    await Promise.all(
      records.map(async (record) => {
        if (record === undefined || isTerminal(record.state)) return;
        const plan = how.cameAfter.has(record.id) ? 'keep' : planForRestored(record, times);
        if (how.apply) await settle(record, plan, deps);
        jobs[plan].push(record.id);
      }),
    );
  }
  return { ...jobs, operations };
}

/** Each job once, and all before any is settled, since that moves a job from one state to another. */
async function openJobs({ redis, keys }: Pick<RestoredJobsDeps, 'keys' | 'redis'>): Promise<readonly string[]> {
  const open = ALL_PUBLISH_STATES.filter((state) => !isTerminal(state));
  const lists = await Promise.all(open.map((state) => redis.zrange(keys.stateJobs(state), '0', '-1')));
  return [...new Set(lists.flat())];
}

async function settle(
  record: LedgerRecord,
  plan: RestoredPlan,
  deps: Omit<RestoredJobsDeps, 'keys' | 'redis'>,
): Promise<void> {
  const now = deps.clock.now();
  if (plan === 'ask') await deps.ledger.intervene(record, asking(record, now));
  if (plan !== 'unconfirmed') return;
  await deps.ledger.intervene(
    record,
    endChange(record, { to: 'unconfirmed', error: new PublishError('REDIS_WENT_BACK') }, now),
  );
  // Its entry ends as that of an unconfirmed job should: by running once more, when workers take jobs again.
  await wakeJobs([record.id], deps);
}

/** Nothing more is sent for it. Even if this publish_id failed, a later one may have published. */
function asking({ session }: LedgerRecord, now: number): Change {
  const gaveUpFor = toFailure(new PublishError('REDIS_WENT_BACK'));
  const { code, message } = gaveUpFor;
  return {
    to: 'processing',
    cause: { event: 'outcome_awaited', code, message },
    patch: { ...nowProcessing(session, now, now), gaveUpFor },
    // The sweep adds the entry that polls it.
    dueAt: now,
  };
}
