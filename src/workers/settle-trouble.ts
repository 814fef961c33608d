import { exposureOf } from '../core/exposure.ts';
import { publishEntryOf, referenceTo } from '../core/job-reference.ts';
import { isFetchedByTikTok, mediaInUse } from '../core/media-route.ts';
import type { InterruptedJob, Plan, PlanContext, StatusSaid, Trouble } from '../core/plan.ts';
import { planAfterError } from '../core/plan-after-error.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import { errorFacts, toFailure } from '../core/publish-job.ts';
import { redisTroubleOf } from '../core/redis-trouble.ts';
import type { Settlement } from '../core/settlement.ts';
import { Deferral, Handback } from '../core/step-interrupt.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { NO_SESSION, NOT_WAITING, nowProcessing } from '../ledger/change.ts';
import { laneMemberOf } from '../ledger/job-view.ts';
import { SWEEP_AFTER_MS } from '../ledger/ledger.ts';
import type { LedgerPatch } from '../ledger/record.ts';
import type { Needs } from './deps.ts';
import { type EndDeps, endJob, toResult } from './end-job.ts';
import { learnFromRefusal } from './learn-facts.ts';
import type { OwnedJob } from './owned-job.ts';
import { planOf, positionFromStatus } from './publish/upload-position.ts';
import { askAgain } from './status/ask-again.ts';
import { type PollPlanDeps, planFirstPoll } from './status/plan-poll.ts';
import { askStatus, type QuotaCallDeps } from './tiktok-calls.ts';

type Step = PlanContext['step'];
type PlanOf<Kind extends Plan['kind']> = Extract<Plan, { kind: Kind }>;
type ApplyDeps = EndDeps & PollPlanDeps & Needs<'caps' | 'facts' | 'lanes' | 'ledger' | 'pollTimes'>;

/**
 * Settles what interrupted a step of a job: the core plans what follows, and this carries it out. The only place that
 * does, for the publish queue, polls and rechecks.
 */
export async function settleTrouble(
  job: OwnedJob,
  thrown: unknown,
  step: Step,
  deps: ApplyDeps & QuotaCallDeps & Needs<'pauseAccount' | 'tiktok'>,
): Promise<Settlement> {
  // An error of Redis says nothing about the job, and the job could not be written.
  const redisTrouble = redisTroubleOf(thrown);
  if (redisTrouble !== undefined) return { kind: 'lost', trouble: redisTrouble };
  const trouble = toTrouble(thrown);
  await report(job, trouble, step, deps);
  const { clock, random, settings } = deps;
  if (trouble instanceof PublishError) await learnFromRefusal(job, trouble, deps);
  const context: PlanContext = {
    ...{ step, now: clock.now(), random, retryPolicy: settings.retryPolicy, maxWaitMs: settings.maxWaitMs },
    outcomeWithinMs: settings.pollSchedule.giveUpAfterMs,
    capFreesAt: trouble instanceof PublishError ? await capFreesAt(job, trouble, deps) : undefined,
  };
  const plan = planAfterError(job.record, trouble, context);
  if (plan.kind !== 'ask_status') return await apply(job, plan, step, deps);
  const said = await askForPlan(job, deps);
  if (said.kind === 'lost') return said;
  return await apply(job, planAfterError(job.record, trouble, context, said), step, deps);
}

/** When a cap frees by our own count; the app's cap is learned on the way, also where this job gives up on it. */
async function capFreesAt(
  { record }: OwnedJob,
  { row }: PublishError,
  { caps }: Needs<'caps'>,
): Promise<number | undefined> {
  if (row.waitReason === 'daily_cap') return await caps.nextDailyTryAt(record.account);
  return row.waitReason === 'active_user_cap' ? await caps.noteRefusal(laneMemberOf(record)) : undefined;
}

function toTrouble(thrown: unknown): Trouble {
  return thrown instanceof Deferral || thrown instanceof Handback ? thrown : toPublishError(thrown);
}

async function report(
  job: OwnedJob,
  trouble: Trouble,
  step: Step,
  { log, metrics, pauseAccount }: Needs<'log' | 'metrics' | 'pauseAccount'>,
): Promise<void> {
  if (!(trouble instanceof PublishError) || trouble.row.verdict === 'superseded') return;
  const { code, row } = trouble;
  const publishJobId = job.record.id;
  if (code === 'INTERNAL_ERROR') log.error({ err: trouble, publishJobId, step }, 'unexpected error');
  // An outcome was counted as TikTok's answer already.
  const isOutcome = trouble.details.publishFailed === true || row.verdict === 'unconfirmed';
  if (step === 'poll' && !isOutcome) metrics.statusPolled(code);
  if (step === 'publish' && row.pausesAccount === true) {
    const { account } = job.record;
    await pauseAccount(account, code);
    log.error({ publishJobId, account, code }, 'account paused');
  }
}

/** The status that a plan asked for. For a fetched post it cannot say that bytes are missing. */
async function askForPlan(
  job: OwnedJob,
  deps: QuotaCallDeps & Needs<'tiktok'>,
): Promise<StatusSaid | Extract<Settlement, { kind: 'lost' }>> {
  if (isFetchedByTikTok(mediaInUse(job.record))) return { kind: 'nothing' };
  try {
    const { kind } = positionFromStatus(await askStatus(job, deps), planOf(job.record));
    return { kind: kind === 'complete' ? 'has_everything' : kind === 'at' ? 'lacks_bytes' : 'nothing' };
  } catch (thrown) {
    const redisTrouble = redisTroubleOf(thrown);
    if (redisTrouble !== undefined) return { kind: 'lost', trouble: redisTrouble };
    const trouble = toTrouble(thrown);
    const isFailed = trouble instanceof PublishError && trouble.details.publishFailed === true;
    return isFailed ? { kind: 'failed', error: trouble } : { kind: 'no_answer', trouble };
  }
}

async function apply(job: OwnedJob, plan: Plan, step: Step, deps: ApplyDeps): Promise<Settlement> {
  switch (plan.kind) {
    case 'superseded':
    case 'ask_status':
      return { kind: 'lost' };
    case 'hand_back':
      return await leave(job, { at: deps.clock.now(), cause: { event: 'handed_back' } });
    case 'wait':
      deps.metrics.deferred(plan.reason);
      return step === 'publish' ? await wait(job, plan, deps) : await waitToAsk(job, plan, step);
    case 'retry':
      return await retry(job, plan, deps);
    case 'start_over':
      return await startOver(job, plan, step, deps);
    case 'follow':
      return await follow(job, plan, deps);
    case 'ask_later':
      return await askAgain(job, step, deps, plan);
    case 'end':
      return await endJob(job, plan, deps);
  }
}

async function wait(job: OwnedJob, plan: PlanOf<'wait'>, deps: Needs<'caps' | 'lanes' | 'log'>): Promise<Settlement> {
  const { reason, until, error, bookedSlot } = plan;
  const why = error === undefined ? {} : errorFacts(error);
  const settlement = await leave(job, {
    at: until,
    cause: { event: 'deferred', waitingFor: reason, until: iso(until), ...why },
    patch: { waitingFor: reason, waitingUntil: until, bookedSlot },
  });
  const facts = { publishJobId: job.record.id, waitingFor: reason, until: iso(until), code: error?.code };
  deps.log.info(facts, 'publish job waiting');
  // Missing replicas concern all accounts.
  if (reason !== 'replication') await deps.lanes.showDelay(job.record.account, { reason, until });
  return settlement;
}

/** Keeps the booked call, so that the next run does not book another. */
async function waitToAsk(job: OwnedJob, plan: PlanOf<'wait'>, step: Step): Promise<Settlement> {
  const { reason, until, bookedSlot } = plan;
  await job.commit({
    cause: { event: step === 'poll' ? 'poll_deferred' : 'recheck_deferred', waitingFor: reason, until: iso(until) },
    patch: { bookedSlot },
    dueAt: until + SWEEP_AFTER_MS,
  });
  return { kind: 'later', at: until };
}

async function retry(job: OwnedJob, plan: PlanOf<'retry' | 'start_over'>, { log }: Needs<'log'>): Promise<Settlement> {
  const { at, attempts, error, kind } = plan;
  const settlement = await leave(job, {
    at,
    cause: { event: 'attempt_failed', attempt: attempts, ...errorFacts(error), retryAt: iso(at) },
    // Whatever it waited for before, it waits for its next attempt now.
    patch: { ...(kind === 'start_over' && startsOver(job, error)), attempts, waitingFor: undefined, waitingUntil: at },
  });
  const facts = { publishJobId: job.record.id, code: error.code, attempt: attempts, retryAt: iso(at) };
  log.warn(facts, 'attempt failed');
  return settlement;
}

function startsOver({ record: { restartedFor = [] } }: OwnedJob, { code }: PublishError): LedgerPatch {
  return { ...NO_SESSION, restartedFor: [...restartedFor, code] };
}

async function startOver(
  job: OwnedJob,
  plan: PlanOf<'start_over'>,
  step: Step,
  deps: Needs<'clock' | 'log' | 'queues'>,
): Promise<Settlement> {
  const { at, error, attempts, fallsBack } = plan;
  const settlement = fallsBack
    ? await leave(job, {
        at,
        cause: { event: 'fell_back', to: 'upload', code: error.code },
        patch: { ...NO_SESSION, ...NOT_WAITING, fellBackAt: at, attempts },
      })
    : await retry(job, plan, deps);
  if (step === 'publish') return settlement;
  const delayMs = Math.max(0, at - deps.clock.now());
  await deps.queues.replacePublishEntry(publishEntryOf(job.record, delayMs));
  return { kind: 'done', result: toResult(job.record) };
}

/** Leaves the outcome to the polls. */
async function follow(
  job: OwnedJob,
  plan: PlanOf<'follow'>,
  deps: PollPlanDeps & Needs<'queues'>,
): Promise<Settlement> {
  const { error, gaveUp, isUploaded } = plan;
  const nextPollAt = planFirstPoll(job, deps);
  const now = deps.clock.now();
  const { session, totalBytes } = job.record;
  await job.commit({
    to: 'processing',
    ...(isUploaded && { event: 'publish.upload.completed' as const }),
    cause: { event: 'outcome_awaited', ...errorFacts(error) },
    patch: {
      ...nowProcessing(session, now, nextPollAt),
      ...(isUploaded && { acceptedBytes: totalBytes, sentBytes: totalBytes, attempts: 0 }),
      ...(gaveUp && { gaveUpFor: toFailure(error) }),
    },
  });
  await deps.queues.replaceStatusEntry(referenceTo(job.record), Math.max(0, nextPollAt - now));
  return { kind: 'done', result: toResult(job.record) };
}

/** Ends this run: a job with exposure `none` is `queued` again, any other keeps its state. */
async function leave(
  job: OwnedJob,
  { at, cause, patch = {} }: { at: number; cause: TimelineFact; patch?: LedgerPatch },
): Promise<Settlement> {
  const next: InterruptedJob = { ...job.record, ...patch };
  const isUnknown = exposureOf(next) === 'none';
  await job.commit({
    ...(isUnknown && next.state !== 'scheduled' && { to: 'queued' as const }),
    cause,
    patch: { ...patch, ...(isUnknown && { session: { kind: 'none' as const } }) },
    dueAt: at + SWEEP_AFTER_MS,
  });
  return { kind: 'later', at };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
