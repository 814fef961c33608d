import type { PlanContext } from '../../core/plan.ts';
import type { PublishError } from '../../core/publish-error.ts';
import { errorFacts } from '../../core/publish-job.ts';
import { nextRecheckDelayMs } from '../../core/recheck-schedule.ts';
import type { Settlement } from '../../core/settlement.ts';
import { SWEEP_AFTER_MS } from '../../ledger/ledger.ts';
import type { LedgerProgress } from '../../ledger/record.ts';
import type { Needs } from '../deps.ts';
import { isWatched, toResult } from '../end-job.ts';
import type { OwnedJob } from '../owned-job.ts';
import { type PollPlanDeps, planPoll, wakeIfReportedMeanwhile } from './plan-poll.ts';

/** What kept TikTok from answering, and until when it is not asked again. */
interface Delay {
  readonly error: PublishError;
  readonly notBeforeAt: number;
}

/** Plans the next question about a job's status: a poll, or a look at an ended job. */
export async function askAgain(
  job: OwnedJob,
  step: PlanContext['step'],
  deps: PollPlanDeps & Needs<'ledger' | 'log' | 'pollTimes' | 'queues'>,
  delay: Delay,
): Promise<Settlement> {
  if (step !== 'recheck') return await pollAgain(job, deps, { delay });
  deps.log.info({ publishJobId: job.record.id, code: delay.error.code }, 'recheck failed');
  return await recheckAgain(job, deps, delay.notBeforeAt);
}

/** @param how.progress what the answer told of the download */
export async function pollAgain(
  job: OwnedJob,
  deps: PollPlanDeps & Needs<'ledger' | 'pollTimes' | 'queues'>,
  { delay, progress = {} }: { delay?: Delay; progress?: LedgerProgress },
): Promise<Settlement> {
  const { isPoll, sweepAt = 0 } = job.around;
  const pollCount = job.record.pollCount + (isPoll ? 0 : 1);
  const at = Math.max(planPoll(job, pollCount, deps), delay?.notBeforeAt ?? 0);
  const dueAt = at + SWEEP_AFTER_MS;
  const noted = { ...progress, ...(!isPoll && { pollCount }) };
  deps.pollTimes.plan(job.record.id, at);
  if (delay === undefined && job.record.waitingFor === undefined) {
    // Most polls change nothing: the claim has counted them, and when the sweep looks at the job.
    if (Object.keys(noted).length > 0 || at > sweepAt) await job.note(noted, dueAt);
  } else {
    const waitingFor = delay?.error.row.waitReason;
    const cause = delay === undefined ? { event: 'poll_answered' as const } : failedPoll(delay.error, at);
    const waitingUntil = waitingFor === undefined ? undefined : at;
    await job.commit({ cause, patch: { ...noted, waitingFor, waitingUntil }, dueAt });
  }
  const seen = { record: job.record, around: job.around };
  return { kind: 'later', at, afterwards: () => wakeIfReportedMeanwhile(seen, deps) };
}

function failedPoll(error: PublishError, at: number) {
  return { event: 'poll_failed' as const, ...errorFacts(error), retryAt: new Date(at).toISOString() };
}

/** Looks at an ended job again, as long as an answer could tell something new. */
export async function recheckAgain(
  job: OwnedJob,
  deps: Needs<'clock' | 'random'>,
  notBeforeAt = 0,
): Promise<Settlement> {
  const { record } = job;
  const now = deps.clock.now();
  const recheckCount = (record.recheckCount ?? 0) + 1;
  const delayMs = isWatched(record) ? nextRecheckDelayMs(now - (record.endedAt ?? now), recheckCount, deps) : undefined;
  if (delayMs === undefined) return { kind: 'done', result: toResult(record) };
  await job.note({ recheckCount });
  return { kind: 'later', at: Math.max(now + delayMs, notBeforeAt) };
}
