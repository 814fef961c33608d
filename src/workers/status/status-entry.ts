import { z } from 'zod';
import { isDataLost } from '../../core/job-reference.ts';
import { PublishError } from '../../core/publish-error.ts';
import { failed, type Settlement } from '../../core/settlement.ts';
import type { Run } from '../../ledger/claim.ts';
import { SWEEP_AFTER_MS } from '../../ledger/ledger.ts';
import type { Needs } from '../deps.ts';
import { claimJob, OwnedJob, recordIsGone } from '../owned-job.ts';

const statusEntrySchema = z.looseObject({ version: z.literal(1), id: z.string(), account: z.string() });

/** An entry of `tiktok-status` as its processors see it. */
export interface StatusQueueEntry {
  /** The publish job's id by the entry's own id, should its data be lost. */
  readonly id: string;
  readonly data: unknown;
  readonly run: Run;
}

/** The publish job an entry is about, claimed; or how the entry ends without one. */
export async function claimStatusEntry(
  entry: StatusQueueEntry,
  { ledger }: Needs<'ledger'>,
): Promise<OwnedJob | Settlement> {
  const reference = statusEntrySchema.safeParse(entry.data);
  if (!reference.success && !isDataLost(entry.data)) {
    const reason =
      'expected an entry of version 1 with id and account; only this program may add entries to tiktok-status';
    return failed(new PublishError('INPUT_VERSION_UNSUPPORTED', { reason }));
  }
  const id = reference.data?.id ?? entry.id;
  const job = await claimJob(id, entry.run, ledger, { dueInMs: SWEEP_AFTER_MS });
  if (job instanceof OwnedJob) return job;
  if (job === 'overtaken') return { kind: 'lost' };
  return recordIsGone(id);
}
