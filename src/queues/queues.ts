import { type JobsOptions, Queue, type Telemetry } from 'bullmq';
import { isDataLost, isReference } from '../core/job-reference.ts';
import type { PublishEvent } from '../core/publish-event.ts';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { entryNumberOf, publishIdOfEntry, recheckEntryId } from './job-ids.ts';
import { publishEntries } from './publish-entries.ts';
import { EVENT_JOB_NAME, QUEUE_NAMES } from './queue-names.ts';
import { isPending, promote, statusEntries, WAITING_STATES } from './status-entries.ts';

export interface QueuesOptions {
  readonly connection: RedisClient;
  readonly prefix: string;
  /** Carries traces over the queues. */
  readonly telemetry?: Telemetry | undefined;
  /** How long finished entries are kept (ms). */
  readonly retentionMs: number;
}

export type Queues = ReturnType<typeof createQueues>;

/** The BullMQ queues and the only ways in which entries get onto them. */
export function createQueues(options: QueuesOptions) {
  const queues = {
    publish: openQueue(QUEUE_NAMES.publish, options),
    status: openQueue(QUEUE_NAMES.status, options),
    events: openQueue(QUEUE_NAMES.events, options),
  };
  return {
    ...queues,
    ...publishEntries(queues.publish),
    ...statusEntries(queues.status),
    ...eventEntries(queues.events),
    ...endedEntries(queues),

    /** Whether an entry will still run: waiting, delayed or active. */
    async isPending(queue: keyof typeof queues, id: string): Promise<boolean> {
      return await isPending(queues[queue], id);
    },

    async close(): Promise<void> {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

function openQueue(name: string, { connection, prefix, retentionMs, telemetry }: QueuesOptions): Queue {
  const kept = { age: Math.ceil(retentionMs / SECOND_MS) };
  const defaultJobOptions: JobsOptions = { removeOnComplete: kept, removeOnFail: kept };
  const queue = new Queue(name, {
    ...{ connection, prefix, defaultJobOptions },
    ...(telemetry !== undefined && { telemetry }),
  });
  queue.on('error', () => {
    // The connection's owner logs its outages; without a listener BullMQ prints them itself.
  });
  return queue;
}

/** Data of an entry in `tiktok-events`, whose id is the event's: where it goes is in the ledger. */
interface EventEntry {
  readonly version: 1;
  /** The publish job. */
  readonly id: string;
  readonly event: PublishEvent;
}

/** How entries get onto `tiktok-events` and run. */
function eventEntries(events: Queue) {
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

/** How the entries of a job that is over leave the queues. */
function endedEntries({ publish, status }: { readonly publish: Queue; readonly status: Queue }) {
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
