import { nextPollDelayMs } from '../../core/poll-schedule.ts';
import type { Surroundings } from '../../ledger/claim.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';

export type PollPlanDeps = Needs<'clock' | 'random' | 'settings'>;

interface PolledJob {
  readonly record: Pick<LedgerRecord, 'processingSince' | 'toldAt'>;
  readonly around: Pick<Surroundings, 'polledJobs' | 'webhooksArrive'>;
}

/** When a job's status is asked for the next time (ms since the epoch); rarely while TikTok's webhooks will wake it. */
export function planPoll(job: PolledJob, pollsDone: number, deps: PollPlanDeps): number {
  const { processingSince, toldAt } = job.record;
  const now = deps.clock.now();
  const progress = {
    pollsDone,
    processingForMs: now - (processingSince ?? now),
    openJobsOfAccount: job.around.polledJobs,
    awaitsWebhook: toldAt === undefined && job.around.webhooksArrive,
  };
  return now + nextPollDelayMs(progress, { random: deps.random, schedule: deps.settings.pollSchedule });
}

/** When a job that TikTok now has everything of is asked for first. */
export function planFirstPoll({ record: { toldAt }, around }: PolledJob, deps: PollPlanDeps): number {
  return planPoll({ record: { processingSince: undefined, toldAt }, around }, 0, deps);
}

/**
 * A webhook that came before the entry was in the queue could not wake it, so this checks again. If that fails, the poll
 * runs at its planned time.
 */
export async function wakeIfReportedMeanwhile(
  { record: seen, around }: Pick<OwnedJob, 'record' | 'around'>,
  { ledger, queues }: Needs<'ledger' | 'queues'>,
): Promise<void> {
  if (!around.webhooksArrive) return;
  try {
    const latest = await ledger.read(seen.id);
    if (latest?.toldAt !== undefined && latest.toldAt !== seen.toldAt) await queues.wakeStatusEntry(seen.id);
  } catch {
    return;
  }
}

/** If no webhook announced an outcome within a minute, polls no longer wait for webhooks. */
export async function noteMissingWebhook(
  { processingSince, toldAt }: LedgerRecord,
  { webhooks, clock, settings }: Needs<'clock' | 'settings' | 'webhooks'>,
): Promise<void> {
  const hadTime = clock.now() - (processingSince ?? clock.now()) >= settings.pollSchedule.withWebhooks.firstMs;
  if (hadTime && toldAt === undefined) await webhooks.noteMissing();
}
