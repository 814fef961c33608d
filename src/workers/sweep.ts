import { PublishError, toPublishError } from '../core/publish-error.ts';
import { isTerminal, type WaitReason } from '../core/publish-state.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import { HOUR_MS } from '../core/units.ts';
import { hasWaitedTooLong, WAITED_TOO_LONG } from '../core/wait-limit.ts';
import { wakeJobs } from '../lanes/wake-jobs.ts';
import { laneMemberOf } from '../ledger/lane-member.ts';
import { SWEEP_AFTER_MS } from '../ledger/ledger.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { mayAppear } from './await-outcome.ts';
import type { WorkerDeps } from './deps.ts';
import { toFailure } from './end-job.ts';
import { ensureEntry } from './ensure-entry.ts';
import { mayHavePublishedByInit } from './init-publish.ts';
import { DEFAULT_RECOVERY } from './recovery.ts';

const BATCH = 200;
/** Reasons with which an entry is parked until somebody wakes it. */
const PARKING_REASONS: readonly (WaitReason | undefined)[] = ['slot', 'account_paused', 'reauthorization'];

/** Looks after jobs that nothing else looks after. */
export interface Sweep {
  stop(): Promise<void>;
}

/**
 * Repairs what died between two steps, at short intervals: a job without a queue entry gets one, a scheduled job whose
 * time has come says so, a job whose retention is over is deleted. Several processes may sweep at once; each repair
 * may be made twice without harm.
 * @param mayAct asked before each look
 */
export function startSweep(deps: WorkerDeps, mayAct: () => Promise<boolean>): Sweep {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const { sweepEveryMs } = deps.settings.recovery ?? DEFAULT_RECOVERY;

  async function run(): Promise<void> {
    try {
      if (await mayAct()) await sweepOnce(deps);
    } catch (error) {
      if (!stopped) deps.log.warn(interruption(error), 'sweep interrupted');
    }
    if (!stopped) timer = setTimeout(() => (running = run()), sweepEveryMs);
  }

  running = run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** What the log says; that Redis is away has no stack worth reading. */
function interruption(error: unknown): object {
  const trouble = redisTroubleOf(error);
  return trouble === undefined ? { err: toPublishError(error) } : { code: trouble.code, reason: trouble.message };
}

/** Looks at every job whose time has come. */
export async function sweepOnce(deps: WorkerDeps): Promise<void> {
  for (;;) {
    const ids = await deps.ledger.due(deps.clock.now(), BATCH);
    await Promise.all(ids.map((id) => lookAfterId(id, deps)));
    if (ids.length < BATCH) break;
  }
  await lookAfterLanes(deps);
}

/** Admits and wakes where a turn or a wake-up got lost. */
async function lookAfterLanes(deps: WorkerDeps): Promise<void> {
  for (const account of await deps.lanes.stale(BATCH)) {
    await lookAfterLane(account, deps).catch((error: unknown) => {
      deps.log.warn({ err: toPublishError(error), account }, 'lane could not be looked after');
    });
  }
}

async function lookAfterLane(account: string, deps: WorkerDeps): Promise<void> {
  for (const id of await deps.lanes.admitted(account)) {
    const record = await deps.ledger.read(id);
    if (record === undefined || isTerminal(record.state) || record.state === 'processing') {
      await wakeJobs(await deps.lanes.leave(account, id), deps);
    } else if (await isForgotten(record, deps)) {
      await wakeJobs([id], deps);
    }
  }
  await wakeJobs(await deps.lanes.leave(account, ''), deps);
}

/** Whether a job has its turn and sleeps without end; who waits for a time or sits out a backoff wakes by itself. */
async function isForgotten(record: LedgerRecord, { lanes }: WorkerDeps): Promise<boolean> {
  const isParked = PARKING_REASONS.includes(record.waitingFor) && record.waitingUntil === undefined;
  if (!isParked || record.state === 'processing') return false;
  return (await lanes.enter(laneMemberOf(record))) === 'admitted';
}

async function lookAfterId(id: string, deps: WorkerDeps): Promise<void> {
  try {
    const record = await deps.ledger.read(id);
    if (record === undefined) await deps.ledger.dropDue(id);
    else await lookAfter(record, deps);
  } catch (error) {
    // Such as the record of a newer version: it is kept for whoever can read it, and holds nobody else up.
    deps.log.warn({ err: toPublishError(error), publishJobId: id }, 'publish job could not be looked after');
    await deps.ledger.postpone(id, deps.clock.now() + SWEEP_AFTER_MS);
  }
}

async function lookAfter(record: LedgerRecord, deps: WorkerDeps): Promise<void> {
  const now = deps.clock.now();
  if (isTerminal(record.state)) {
    const keepUntil = (record.endedAt ?? record.updatedAt) + deps.settings.retentionMs;
    if (keepUntil <= now) await deps.ledger.forget(record);
    else await deps.ledger.postpone(record.id, keepUntil);
    return;
  }
  if (record.state === 'scheduled' && record.scheduledAt !== undefined && record.scheduledAt <= now) {
    // A worker may be faster; then this is refused and nothing is lost.
    await deps.ledger.intervene(record, { to: 'queued', cause: { event: 'due' } }).catch(() => undefined);
    return;
  }
  if (
    record.waitingFor !== undefined &&
    !mayAppear(record) &&
    !mayHavePublishedByInit(record) &&
    hasWaitedTooLong(record, now, deps.settings.maxWaitMs)
  ) {
    await failForWaiting(record, record.waitingFor, deps);
    return;
  }
  await ensureEntry(record, deps);
  if (await isForgotten(record, deps)) await wakeJobs([record.id], deps);
  // Every change of a job brings the sweep back soon; one that stands still with its entry in place can wait longer.
  const pauseMs = Math.min(Math.max(SWEEP_AFTER_MS, now - record.updatedAt), HOUR_MS);
  await deps.ledger.postpone(record.id, Math.max(now, record.waitingUntil ?? 0) + pauseMs);
}

/** A parked job never runs while it waits, so its patience is watched here. Nothing of it can appear on TikTok. */
async function failForWaiting(record: LedgerRecord, reason: WaitReason, deps: WorkerDeps): Promise<void> {
  const now = deps.clock.now();
  const failure = toFailure(new PublishError(WAITED_TOO_LONG[reason]));
  await deps.ledger.intervene(record, {
    to: 'failed',
    event: 'publish.failed',
    cause: { event: 'failed', code: failure.code, message: failure.message },
    patch: { failure, endedAt: now, waitingFor: undefined, waitingUntil: undefined },
    dueAt: now + deps.settings.retentionMs,
  });
  deps.log.info({ publishJobId: record.id, state: 'failed', code: failure.code }, 'publish job ended');
  deps.metrics.jobEnded({
    mode: record.mode,
    source: record.request.media.type,
    outcome: 'failed',
    durationMs: now - Math.max(record.createdAt, record.scheduledAt ?? 0),
  });
  // Its entry ends as the failed job's entry should: by running once more.
  await wakeJobs([record.id], deps);
}
