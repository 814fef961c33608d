import type { Queue } from 'bullmq';
import type { JobReference } from '../core/job-reference.ts';
import { makeRoom, promote } from './entry-states.ts';
import { recheckEntryId } from './job-ids.ts';
import { RECHECK_JOB_NAME, STATUS_JOB_NAME } from './queue-names.ts';

/** How entries get onto `tiktok-status` and run. */
export function statusEntries(status: Queue) {
  /** Lets a finished job be looked at once more, after a delay. */
  async function addRecheckEntry(entry: JobReference, delayMs: number): Promise<void> {
    const jobId = recheckEntryId(entry.id);
    await makeRoom(status, jobId);
    await status.add(RECHECK_JOB_NAME, entry, { jobId, delay: delayMs });
  }

  return {
    addRecheckEntry,

    /** Puts a job on `tiktok-status`. */
    async addStatusEntry(entry: JobReference, delayMs: number): Promise<void> {
      await status.add(STATUS_JOB_NAME, entry, { jobId: entry.id, delay: delayMs });
    },

    /** Puts a job on `tiktok-status` anew: a finished entry of the same job makes room. */
    async addStatusEntryAnew(entry: JobReference, delayMs: number): Promise<void> {
      await makeRoom(status, entry.id);
      await status.add(STATUS_JOB_NAME, entry, { jobId: entry.id, delay: delayMs });
    },

    /** Lets a delayed status entry run now; one that runs or has run stays as it is. */
    async wakeStatusEntry(id: string): Promise<void> {
      const entry = await status.getJob(id);
      if (entry !== undefined && (await entry.isDelayed())) await promote(entry);
    },

    /** Lets a finished job be looked at now, also when its watch is over. */
    async wakeRecheckEntry(entry: JobReference): Promise<void> {
      const found = await status.getJob(recheckEntryId(entry.id));
      const state = await found?.getState();
      if (found !== undefined && state === 'delayed') await promote(found);
      else if (state !== 'active' && state !== 'waiting') await addRecheckEntry(entry, 0);
    },
  };
}
