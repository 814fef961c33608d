import { mustBeginBy, overdueError } from '../../core/not-after.ts';
import { planAfterWaiting, waitEndsAt } from '../../core/plan-after-error.ts';
import { toPublishError } from '../../core/publish-error.ts';
import { isLaneReason, isTerminal } from '../../core/publish-state.ts';
import { redisTroubleOf } from '../../core/redis-trouble.ts';
import { DAY_MS, HOUR_MS } from '../../core/units.ts';
import { endChange, type JobEnd } from '../../ledger/change.ts';
import { laneMemberOf } from '../../ledger/job-view.ts';
import { SWEEP_AFTER_MS } from '../../ledger/ledger.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import { sweepAt } from '../../ledger/sweep-list.ts';
import { wakeJobs, wakeNewcomer } from '../../limits/wake-jobs.ts';
import { createOutageLog } from '../../observability/outage-log.ts';
import type { Needs } from '../deps.ts';
import { type EndDeps, ensureRecheckEntry, reportEnd } from '../end-job.ts';
import { ensureEntry } from '../ensure-entry.ts';
import { createEntrySearch, type EntrySearch } from './entry-search.ts';

const BATCH = 200;
/** Batches of jobs that one pass looks at; then come the other repairs, and the next pass at once. */
const MAX_BATCHES = 10;

type LookDeps = EndDeps & Needs<'lanes' | 'ledger' | 'settings'>;
type SweepDeps = LookDeps & Needs<'caps' | 'publishingPause' | 'restorePublished'>;
type LaneDeps = Needs<'clock' | 'lanes' | 'ledger' | 'queues'>;

/**
 * Repairs what a dead process left between two steps, at short intervals: adds missing queue entries, makes scheduled
 * jobs `queued` at their time, deletes jobs after their retention, brings jobs of older versions into new indexes. Several processes may sweep at once; each repair may
 * be made twice without harm.
 * @param mayAct asked before each look
 * @returns stops it
 */
export function startSweep(
  deps: SweepDeps & Needs<'measureStep' | 'statistics'>,
  mayAct: () => Promise<boolean>,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const search = createEntrySearch();
  const outage = createOutageLog(deps.log);
  const { sweepEveryMs } = deps.settings.recovery;

  async function run(): Promise<void> {
    let isDone = true;
    try {
      if (await mayAct()) isDone = await deps.measureStep('sweep', () => sweepOnce(deps, search));
      await deps.statistics.flush();
      outage.isOver();
    } catch (error) {
      if (!stopped) outage.warn(error, {}, 'sweep interrupted');
    }
    if (!stopped) timer = setTimeout(() => (running = run()), isDone ? sweepEveryMs : 0);
  }

  running = run();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

/**
 * Looks at jobs whose time has come, and for jobs that have lost their entry.
 * @returns false if it left some for the next pass
 * @internal
 */
export async function sweepOnce(deps: SweepDeps, search: EntrySearch = createEntrySearch()): Promise<boolean> {
  const now = await deps.ledger.serverTime();
  let isDone = false;
  for (let batch = 0; batch < MAX_BATCHES && !isDone; batch += 1) {
    const ids = await deps.ledger.takeDue(now, BATCH);
    const dueAt = new Map<string, number>();
    await Promise.all(
      ids.map(async (id) => {
        const at = await lookAfterId(id, now, deps);
        if (at !== undefined) dueAt.set(id, at);
      }),
    );
    await deps.ledger.postpone(now, dueAt);
    isDone = ids.length < BATCH;
  }
  await search.restoreLost(deps, now);
  await deps.ledger.buildIndexes(now);
  await lookAfterLanes(deps);
  await wakeJobs(await deps.publishingPause.heldBefore(BATCH), deps);
  await deps.restorePublished();
  return isDone;
}

/** Admits and wakes where a turn or a wake-up got lost, and where the app's cap has places. */
async function lookAfterLanes(deps: LaneDeps & Needs<'caps' | 'log'>): Promise<void> {
  const orWarn = (about: Readonly<Record<string, string>>) => (error: unknown) => {
    if (redisTroubleOf(error) !== undefined) throw error;
    deps.log.warn({ err: toPublishError(error), ...about }, 'sweep of waiting jobs failed');
  };
  for (const account of await deps.lanes.check(BATCH)) await lookAfterLane(account, deps).catch(orWarn({ account }));
  for (const id of await deps.caps.nextInLine()) await wakeNewcomer(id, deps).catch(orWarn({ publishJobId: id }));
}

async function lookAfterLane(account: string, deps: LaneDeps): Promise<void> {
  for (const id of await deps.lanes.admitted(account)) {
    const record = await deps.ledger.read(id);
    if (record === undefined || hasNoTurn(record, deps.clock.now())) {
      await wakeJobs(await deps.lanes.leave(account, id), deps);
    } else if (await isForgotten(record, deps)) {
      await wakeJobs([id], deps);
    }
  }
  await wakeJobs(await deps.lanes.leave(account, ''), deps);
}

/** Whether a job has left its lane for good, or for a later time that a person chose. */
function hasNoTurn({ state, scheduledAt = 0 }: LedgerRecord, now: number): boolean {
  return isTerminal(state) || state === 'processing' || (state === 'scheduled' && scheduledAt > now);
}

/** Whether a job has its turn and nothing will wake it. A job that waits for a time or a backoff wakes without us. */
async function isForgotten(record: LedgerRecord, { lanes }: Needs<'lanes'>): Promise<boolean> {
  if (!waitsInLane(record)) return false;
  return (await lanes.enter(laneMemberOf(record))) === 'admitted';
}

/** Whether a job's entry sleeps until somebody wakes it. */
function waitsInLane({ state, waitingFor, waitingUntil }: LedgerRecord): boolean {
  return state !== 'processing' && isLaneReason(waitingFor) && waitingUntil === undefined;
}

/** @returns when the job is due again; undefined where that is settled */
async function lookAfterId(id: string, now: number, deps: LookDeps): Promise<number | undefined> {
  try {
    const record = await deps.ledger.read(id);
    if (record === undefined) return void (await deps.ledger.dropDue(id));
    return isTerminal(record.state) ? await lookAfterEnded(record, now, deps) : await lookAfter(record, now, deps);
  } catch (error) {
    if (redisTroubleOf(error) !== undefined) throw error;
    // Such as the record of a newer version: it is kept, and must not stop the sweep of other jobs.
    deps.log.warn({ err: toPublishError(error), publishJobId: id }, 'sweep of a publish job failed');
    return now + SWEEP_AFTER_MS;
  }
}

/**
 * Finishes the end of a job if the process that ended it died, and forgets the job when its retention is over: first its
 * entries, then its record, so that no entry outlives the record. Forgetting waits for an entry that runs or must run.
 */
async function lookAfterEnded(
  record: LedgerRecord,
  now: number,
  { ledger, queues, random, settings }: Needs<'ledger' | 'queues' | 'random' | 'settings'>,
): Promise<number | undefined> {
  const { id } = record;
  const keepUntil = (record.stateSince ?? record.endedAt ?? record.updatedAt) + settings.retentionMs;
  if (keepUntil <= now) {
    const isGone = (await queues.removeAllEntries(id)) && (await ledger.forget(record));
    return isGone ? undefined : now + SWEEP_AFTER_MS;
  }
  if (record.state === 'cancelled') await queues.endWaitingEntries(id);
  // Such as one that failed while it waited in its lane.
  else await queues.wakeEndedEntry(id);
  const isWatched = await ensureRecheckEntry(record, now, { queues, random });
  return isWatched ? Math.min(keepUntil, now + HOUR_MS) : keepUntil;
}

async function lookAfter(
  record: LedgerRecord,
  now: number,
  deps: Omit<LookDeps, 'random'>,
): Promise<number | undefined> {
  const mustBegin = mustBeginBy(record);
  const overdue = mustBegin !== undefined && mustBegin <= now ? overdueError(record, now) : undefined;
  if (overdue !== undefined) return void (await endWaiting(record, { to: 'failed', error: overdue }, deps));
  if (record.state === 'scheduled' && record.scheduledAt !== undefined && record.scheduledAt <= now) {
    // A worker may be faster; then this is refused and nothing is lost.
    const queued = await deps.ledger
      .intervene(record, { to: 'queued', cause: { event: 'due' } })
      .catch(() => undefined);
    if (queued !== undefined) await ensureEntry(queued, deps);
    return undefined;
  }
  const end = planAfterWaiting(record, { now, maxWaitMs: deps.settings.maxWaitMs });
  if (end !== undefined) return void (await endWaiting(record, end, deps));
  await ensureEntry(record, deps);
  // Each change sets the next look a minute after the job's next step. So an entry that still sleeps was delayed too
  // long, as by a machine with a wrong clock.
  if (record.state === 'processing') await deps.queues.wakeStatusEntry(record.id);
  else if (record.state !== 'scheduled' && (!waitsInLane(record) || (await isForgotten(record, deps)))) {
    await wakeJobs([record.id], deps);
  }
  return sweepAt(record, nextLookAt(record, now, deps.settings.maxWaitMs));
}

/**
 * A changed job is checked again soon; one that does not change is checked less and less often. A job that waits for a
 * time is checked when the time has passed; one that waits for its turn when it has waited for too long, since its lane is
 * looked after.
 */
function nextLookAt(record: LedgerRecord, now: number, maxWaitMs: number): number {
  if (record.state === 'scheduled' && record.scheduledAt !== undefined) return record.scheduledAt;
  const { waitingUntil = 0 } = record;
  if (waitingUntil > now) return waitingUntil + SWEEP_AFTER_MS;
  const waitEnd = waitEndsAt(record, maxWaitMs);
  if (record.waitingFor === 'turn' && waitEnd >= now) return waitEnd + 1;
  const rarest = record.waitingFor === undefined ? DAY_MS : HOUR_MS;
  return now + Math.min(Math.max(SWEEP_AFTER_MS, now - record.updatedAt), rarest);
}

/** A job never runs while it waits in its lane, so the wait limit is watched here. */
async function endWaiting(
  record: LedgerRecord,
  end: JobEnd,
  deps: Needs<'clock' | 'ledger' | 'log' | 'metrics' | 'queues' | 'statistics'>,
): Promise<void> {
  const now = deps.clock.now();
  reportEnd(await deps.ledger.intervene(record, endChange(record, end, now)), now, deps);
  // Its entry ends as the failed job's entry should: by running once more.
  await wakeJobs([record.id], deps);
}
