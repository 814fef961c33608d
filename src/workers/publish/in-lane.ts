import { exposureOf, mightBePublished } from '../../core/exposure.ts';
import { isCapOfMode, isTerminal, type LaneReason } from '../../core/publish-state.ts';
import type { Settlement } from '../../core/settlement.ts';
import { laneMemberOf } from '../../ledger/job-view.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import { AWAITING_TURN_MS } from '../../limits/lanes.ts';
import { wakeJobs } from '../../limits/wake-jobs.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';

type LaneDeps = Needs<'clock' | 'lanes' | 'ledger' | 'metrics' | 'queues'>;

/**
 * Runs a step of a job when its turn in the account's lane has come; until then it waits. A job that leaves the lane
 * wakes the next.
 */
export async function inLane(job: OwnedJob, deps: LaneDeps, step: () => Promise<Settlement>): Promise<Settlement> {
  if (needsTurn(job.record, deps.clock.now())) {
    const answer = job.around.hasTurn ? 'admitted' : await deps.lanes.enter(laneMemberOf(job.record));
    if (answer !== 'admitted' && !isFinishing(job.record, answer))
      return await waitInLane(job, answer === 'waiting' ? 'turn' : answer, deps);
  }
  const settlement = await step();
  const { account, id } = job.record;
  if (job.jobsToWake !== undefined) await wakeJobs(job.jobsToWake, deps);
  else if (!keepsTurn(job.record, settlement, deps.clock.now()))
    await wakeJobs(await deps.lanes.leave(account, id), deps);
  else if (isCapOfMode(job.record.waitingFor)) await wakeJobs(await deps.lanes.leave(account, ''), deps);
  return settlement;
}

/** A pause of all publishing lets uploads under way finish. */
function isFinishing(record: LedgerRecord, answer: string): boolean {
  return answer === 'publishing_paused' && exposureOf(record) === 'open';
}

/** A post that may appear does not wait: its status must be queried. */
function needsTurn(record: LedgerRecord, now: number): boolean {
  if (isTerminal(record.state) || record.state === 'processing') return false;
  if (mightBePublished(exposureOf(record))) return false;
  return record.scheduledAt === undefined || record.scheduledAt <= now;
}

/**
 * A job that waits for a limit or its account keeps its turn (jobs of the other mode pass it where only those of its own
 * have to wait), and so does one with an upload under way
 * or handed back by a worker that stops. One that failed an attempt before it began lets the next go first.
 */
function keepsTurn(record: LedgerRecord, settlement: Settlement, now: number): boolean {
  if (settlement.kind === 'lost') return true;
  if (settlement.kind !== 'later' || record.state === 'scheduled') return false;
  return exposureOf(record) !== 'none' || record.waitingFor !== undefined || settlement.at <= now;
}

async function waitInLane(job: OwnedJob, waitingFor: LaneReason, deps: LaneDeps): Promise<Settlement> {
  if (job.record.waitingFor !== waitingFor) {
    deps.metrics.deferred(waitingFor);
    await job.commit({
      ...(job.record.state === 'scheduled' && { to: 'queued' as const }),
      cause: { event: 'parked', waitingFor },
      patch: { waitingFor, waitingUntil: undefined },
    });
  }
  return {
    kind: 'later',
    at: deps.clock.now() + AWAITING_TURN_MS,
    // If the turn became free meanwhile, the wake-up missed this entry, which was still running.
    afterwards: async () => {
      const answer = await deps.lanes.enter(laneMemberOf(job.record));
      if (answer === 'admitted') await wakeJobs([job.record.id], deps);
    },
  };
}
