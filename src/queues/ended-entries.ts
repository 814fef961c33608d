import type { Queue } from 'bullmq';
import { isDataLost, isReference } from '../core/job-reference.ts';
import { promote, WAITING_STATES } from './entry-states.ts';
import { entryNumberOf, publishIdOfEntry, recheckEntryId } from './job-ids.ts';

/** How the entries of a job that is over leave the queues. */
export function endedEntries({ publish, status }: { readonly publish: Queue; readonly status: Queue }) {
  /**
   * Ends what waits of a job that is over. An entry that brings a request of its own is not taken away: it was added
   * under the job's id since, and whoever did so is told, by running, that the job is over.
   * @returns false if there is such an entry
   */
  async function endWaitingEntries(id: string): Promise<boolean> {
    if (WAITING_STATES.includes(await status.getJobState(id))) await status.remove(id);
    const [entry, state] = await Promise.all([publish.getJob(id), publish.getJobState(id)]);
    if (!WAITING_STATES.includes(state)) return true;
    if (entry === undefined || isReference(entry.data) || isDataLost(entry.data)) {
      await publish.remove(id);
      return true;
    }
    if (state === 'delayed') await promote(entry);
    return false;
  }

  return {
    endWaitingEntries,

    /** Takes a job off all queues; an entry that is being worked on stays, its owner is told by the ledger. */
    async removeEntries(id: string): Promise<void> {
      await Promise.all([publish.remove(id), status.remove(id)]);
    },

    /** Takes whatever there is of a job that is over off all queues. @returns false if an entry has to run first */
    async removeAllEntries(id: string): Promise<boolean> {
      if (!(await endWaitingEntries(id))) return false;
      const removed = [publish.remove(id), status.remove(id), status.remove(recheckEntryId(id))];
      const number = entryNumberOf(id);
      const origin = number === undefined ? undefined : await publish.getJob(number);
      if (origin?.id !== undefined && publishIdOfEntry(origin) === id) removed.push(publish.remove(origin.id));
      return (await Promise.all(removed)).every((count) => count === 1);
    },
  };
}
