import { nextPollDelayMs } from '../../core/poll-schedule.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import type { Needs } from '../deps.ts';

export type PollPlanDeps = Needs<'clock' | 'ledger' | 'random' | 'settings' | 'webhooks'>;

/** When a job's status is asked for the next time (ms since the epoch); rarely while TikTok's webhooks will wake it. */
export async function planPoll(
  { account, processingSince, toldAt }: Pick<LedgerRecord, 'account' | 'processingSince' | 'toldAt'>,
  pollsDone: number,
  deps: PollPlanDeps,
): Promise<number> {
  const now = deps.clock.now();
  const progress = {
    pollsDone,
    processingForMs: now - (processingSince ?? now),
    openJobsOfAccount: await deps.ledger.countPolled(account),
    awaitsWebhook: toldAt === undefined && (await deps.webhooks.areArriving()),
  };
  return now + nextPollDelayMs(progress, { random: deps.random, schedule: deps.settings.pollSchedule });
}

/** When a job that TikTok now has everything of is asked for first. */
export async function planFirstPoll(record: LedgerRecord, deps: PollPlanDeps): Promise<number> {
  return await planPoll({ account: record.account, processingSince: undefined, toldAt: record.toldAt }, 0, deps);
}

/**
 * A webhook that came before the entry was in the queue could not wake it, so this checks again. If that fails, the poll
 * runs at its planned time.
 */
export async function wakeIfReportedMeanwhile(
  seen: Pick<LedgerRecord, 'id' | 'toldAt'>,
  { ledger, queues, webhooks }: Needs<'ledger' | 'queues' | 'webhooks'>,
): Promise<void> {
  try {
    if (!(await webhooks.areArriving())) return;
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
