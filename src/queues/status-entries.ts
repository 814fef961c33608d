import type { Job, Queue } from 'bullmq';
import type { JobReference } from '../core/job-reference.ts';
import { recheckEntryId } from './job-ids.ts';
import { RECHECK_JOB_NAME, STATUS_JOB_NAME } from './queue-names.ts';

/** States of entries that nobody works on and that will run. */
export const WAITING_STATES: readonly string[] = ['waiting', 'prioritized', 'delayed'];
/** States of entries that nobody will ever start; `unknown` is that of one that is in no list. */
const NEVER_RUN_AGAIN: readonly string[] = ['completed', 'failed', 'unknown'];

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

/** Whether an entry will still run: waiting, delayed or active. */
export async function isPending(queue: Queue, id: string): Promise<boolean> {
  return !NEVER_RUN_AGAIN.includes(await queue.getJobState(id));
}

/** Lets a delayed entry run now. It may have begun to run meanwhile, which is all we want. */
export async function promote(entry: Job): Promise<void> {
  try {
    await entry.promote();
  } catch (error) {
    if (await entry.isDelayed()) throw error;
  }
}

/**
 * BullMQ ignores an add whose id exists. So a finished entry is taken away first, and so is what is left of one when
 * Redis lost a part of it: its data, or its place in the queue's lists.
 */
export async function makeRoom(queue: Queue, jobId: string): Promise<void> {
  const [state, entry] = await Promise.all([queue.getJobState(jobId), queue.getJob(jobId)]);
  if (entry === undefined || NEVER_RUN_AGAIN.includes(state)) await queue.remove(jobId);
}
