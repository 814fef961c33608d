import type { Queue } from 'bullmq';
import { type PublishEntry, referenceTo } from '../core/job-reference.ts';
import { PUBLISH_JOB_NAME } from './queue-names.ts';
import { isPending, makeRoom } from './status-entries.ts';

/** How entries get onto `tiktok-publish` and run. */
export function publishEntries(publish: Queue) {
  /** Puts jobs on `tiktok-publish`; an entry that is there already stays as it is. */
  async function addPublishEntries(entries: readonly PublishEntry[]): Promise<void> {
    const jobs = entries.map((entry) => ({
      name: PUBLISH_JOB_NAME,
      data: referenceTo(entry),
      opts: { jobId: entry.id, delay: entry.delayMs, priority: entry.priority },
    }));
    const [only] = jobs;
    if (jobs.length === 1 && only !== undefined) await publish.add(only.name, only.data, only.opts);
    else await publish.addBulk(jobs);
  }

  return {
    addPublishEntries,

    /** Puts a job on `tiktok-publish` anew: a finished entry of the same job makes room. */
    async addPublishEntryAnew(entry: PublishEntry): Promise<void> {
      await makeRoom(publish, entry.id);
      await addPublishEntries([entry]);
    },

    /** Lets a parked or delayed publish entry run now. @returns false if there is none that will run */
    async wakePublishEntry(id: string): Promise<boolean> {
      const entry = await publish.getJob(id);
      if (entry === undefined) return false;
      try {
        await entry.promote();
        return true;
      } catch {
        // It is not delayed: it may have begun to run meanwhile, which is all we want.
        return await isPending(publish, id);
      }
    },

    /** How many entries of `tiktok-publish` will still run, or run now. */
    async countPublishEntries(): Promise<number> {
      return await publish.getJobCountByTypes('waiting', 'prioritized', 'delayed', 'active');
    },
  };
}
