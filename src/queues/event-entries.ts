import type { Queue } from 'bullmq';
import type { PublishEvent } from '../core/publish-event.ts';
import { promote } from './entry-states.ts';
import { EVENT_JOB_NAME } from './queue-names.ts';

/** Data of an entry in `tiktok-events`, whose id is the event's: where it goes is in the ledger. */
export interface EventEntry {
  readonly version: 1;
  /** The publish job. */
  readonly id: string;
  readonly event: PublishEvent;
}

/** How entries get onto `tiktok-events` and run. */
export function eventEntries(events: Queue) {
  return {
    /** Puts an event on `tiktok-events`; one that is there already, delivered or not, stays as it is. */
    async addEventEntry(entry: EventEntry, attempts: number): Promise<void> {
      await events.add(EVENT_JOB_NAME, entry, { jobId: entry.event.id, attempts, backoff: { type: 'custom' } });
    },

    /** Lets a delayed delivery run now; one that runs or has run stays as it is. @returns whether it was delayed */
    async wakeEventEntry(eventId: string): Promise<boolean> {
      const entry = await events.getJob(eventId);
      if (entry === undefined || !(await entry.isDelayed())) return false;
      await promote(entry);
      return true;
    },
  };
}
