import { referenceTo } from '../../core/job-reference.ts';
import type { Change } from '../../ledger/change.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { wakeIfReportedMeanwhile } from '../status/plan-poll.ts';

/** Writes that TikTok has everything of a job: it leaves its lane, and its polls get their entry, in one step if possible. */
export async function commitProcessing(
  job: OwnedJob,
  change: Omit<Change, 'to'>,
  { clock, queues }: Needs<'clock' | 'queues'>,
): Promise<void> {
  const script = mayBeInTheWay(job) ? undefined : await queues.entryScript('status').catch(() => undefined);
  const delayMs = Math.max(0, (change.patch?.nextPollAt ?? 0) - clock.now());
  await job.commitAndLeave({ ...change, to: 'processing' }, script && { script, delayMs });
}

/** Adds the entry of a job's polls unless it is there. */
export async function addStatusEntry(
  job: OwnedJob,
  deps: Needs<'clock' | 'ledger' | 'pollTimes' | 'queues'>,
): Promise<void> {
  const { record } = job;
  const { nextPollAt = 0 } = record;
  const entry = referenceTo(record);
  const delayMs = Math.max(0, nextPollAt - deps.clock.now());
  deps.pollTimes.plan(record.id, nextPollAt);
  if (mayBeInTheWay(job)) await deps.queues.replaceStatusEntry(entry, delayMs);
  else if (!job.hasStatusEntry) await deps.queues.addStatusEntry(entry, delayMs);
  await wakeIfReportedMeanwhile(job, deps);
}

/** Only a job that began more than once can have a finished entry in the way of a new one. */
function mayBeInTheWay({ record }: OwnedJob): boolean {
  return record.initCount > 1;
}
