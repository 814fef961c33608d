import { publishEntryOf, referenceTo } from '../core/job-reference.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { Needs } from './deps.ts';

/** A job that is not over must have an entry that will run. @returns whether it had lost it */
export async function ensureEntry(
  record: LedgerRecord,
  { queues, clock, log }: Needs<'clock' | 'log' | 'queues'>,
): Promise<boolean> {
  const { id } = record;
  const queue = record.state === 'processing' ? 'status' : 'publish';
  if (await queues.isPending(queue, id)) return false;
  log.warn({ publishJobId: id, queue }, 'missing queue entry added again');
  const delayMs = Math.max(0, (record.waitingUntil ?? record.scheduledAt ?? 0) - clock.now());
  if (queue === 'status') await queues.replaceStatusEntry(referenceTo(record), delayMs);
  else await queues.replacePublishEntry(publishEntryOf(record, delayMs));
  return true;
}
