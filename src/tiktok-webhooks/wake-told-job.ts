import type { Clock } from '../core/ports.ts';
import { type PostReport, wokenBy } from '../core/post-report.ts';
import { mayBePublic } from '../core/recheck-schedule.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../queues/queues.ts';

/** What waking needs. */
export interface WakeToldJobDeps {
  readonly ledger: Pick<Ledger, 'idOfPublishId' | 'tell'>;
  readonly queues: Pick<Queues, 'wakeStatusEntry' | 'wakeRecheckEntry'>;
  readonly clock: Clock;
}

/** What a report was good for. */
export interface ReportOutcome {
  /** The job it is about; none if nobody here knows the publish_id. */
  readonly publishJobId: string | undefined;
  readonly woken: 'poll' | 'recheck' | undefined;
}

/**
 * Lets the job that TikTok reported something of be asked for at once. Safe to call again: it changes no state, and the
 * poll it wakes keeps to the account's quota.
 */
export async function wakeToldJob(
  { report, publishId }: { readonly report: PostReport; readonly publishId: string },
  { ledger, queues, clock }: WakeToldJobDeps,
): Promise<ReportOutcome> {
  const publishJobId = await ledger.idOfPublishId(publishId);
  if (publishJobId === undefined) return { publishJobId, woken: undefined };
  const record = await ledger.tell(publishJobId, publishId);
  const woken =
    record === undefined ? undefined : wokenBy(report, { ...record, isPublic: mayBePublic(record.request) });
  // A poll that has booked its call waits for that call: woken, it would only fall asleep again.
  if (record === undefined || woken === undefined || (record.bookedSlot?.at ?? 0) > clock.now()) {
    return { publishJobId, woken: undefined };
  }
  const { id, account } = record;
  if (woken === 'poll') await queues.wakeStatusEntry(id);
  else await queues.wakeRecheckEntry({ version: 1, id, account });
  return { publishJobId, woken };
}
