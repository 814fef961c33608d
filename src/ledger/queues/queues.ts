import type { Job, Queue, Telemetry } from 'bullmq';
import {
  type EntryScript,
  isDataLost,
  isReference,
  type JobReference,
  type PublishEntry,
  referenceTo,
} from '../../core/job-reference.ts';
import { deliveryIdOf } from '../../core/subscription.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { boundEntries } from './bounded-entries.ts';
import { type EntryLooks, prepareEntryLooks } from './entry-looks.ts';
import { entryScriptOf } from './entry-script.ts';
import { readableTraces } from './entry-traces.ts';
import { entryNumberOf, publishIdOfEntry, recheckEntryId } from './job-ids.ts';
import {
  BULLMQ_EVENTS_KEPT,
  EVENT_JOB_NAME,
  PUBLISH_JOB_NAME,
  QUEUE_NAMES,
  RECHECK_JOB_NAME,
  STATUS_JOB_NAME,
} from './queue-names.ts';
import { EntryQueue } from './readable-job.ts';
import { prepareReservedIds } from './reserved-ids.ts';

/** States of entries that nobody works on and that will run. */
const WAITING_STATES: readonly string[] = ['waiting', 'prioritized', 'delayed'];

export interface QueuesOptions {
  readonly connection: RedisClient;
  readonly prefix: string;
  /** Carries traces over the queues. */
  readonly telemetry?: Telemetry | undefined;
}

export type Queues = ReturnType<typeof createQueues>;

/** The BullMQ queues and the only ways in which entries get onto them. */
export function createQueues(options: QueuesOptions) {
  const entryScripts: { publish?: EntryScript | undefined; status?: EntryScript | undefined } = {};
  const queues = {
    publish: openQueue(QUEUE_NAMES.publish, options),
    status: openQueue(QUEUE_NAMES.status, options),
    events: openQueue(QUEUE_NAMES.events, options),
  };
  const looks = prepareEntryLooks(options.connection);
  return {
    ...queues,
    ...publishEntries(queues.publish, looks),
    ...statusEntries(queues.status, looks),
    ...eventEntries(queues.events, looks),
    ...endedEntries(queues),
    ...prepareReservedIds(options.connection, Object.values(queues)),

    /** How entries are added by scripts; undefined if they can't be, as with traces, which only BullMQ can pass on. */
    async entryScript(queue: 'publish' | 'status'): Promise<EntryScript | undefined> {
      if (options.telemetry !== undefined) return undefined;
      const jobName = queue === 'publish' ? PUBLISH_JOB_NAME : STATUS_JOB_NAME;
      const made = entryScripts[queue] ?? (await entryScriptOf(queues[queue], jobName, options.connection));
      // Concurrent calls get the same one: for each, `create` prepares a script.
      entryScripts[queue] ??= made;
      return entryScripts[queue];
    },

    /** Whether an entry will still run: waiting, delayed or active. */
    async isPending(queue: keyof typeof queues, id: string): Promise<boolean> {
      return await looks.isPending(queues[queue], id);
    },

    /** The entries of `tiktok-publish` that are ready and come next, with and without a priority. */
    nextPublishEntries: async () => await queues.publish.getJobs(['wait', 'prioritized'], 0, 0, true),

    async close(): Promise<void> {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

function openQueue(name: string, { connection, prefix, telemetry }: QueuesOptions): Queue {
  const options = { prefix, streams: { events: { maxLen: BULLMQ_EVENTS_KEPT } }, ...readableTraces(telemetry) };
  const queue = new EntryQueue(name, { ...options, connection: boundEntries(connection) });
  queue.on('error', () => {
    // The connection's owner logs its outages; without a listener BullMQ prints them itself.
  });
  return queue;
}

/** Data of an entry in `tiktok-events`, named by {@link deliveryIdOf}: where it goes is in the ledger, or in the subscription. */
type EventEntry = Parameters<typeof deliveryIdOf>[0] & { readonly version: 1 };

/** How entries get onto `tiktok-events` and run. */
function eventEntries(events: Queue, looks: EntryLooks) {
  return {
    /** Puts an event on `tiktok-events`; one that is there already, delivered or not, stays as it is. */
    async addEventEntry(entry: EventEntry, { tries, delayMs = 0 }: { tries: number; delayMs?: number }): Promise<void> {
      const options = { jobId: deliveryIdOf(entry), attempts: tries, delay: delayMs };
      await events.add(EVENT_JOB_NAME, entry, { ...options, backoff: { type: 'custom' } });
    },

    /** Lets a delayed delivery run now; one that runs or has run stays as it is. @returns whether it was delayed */
    async wakeEventEntry(eventId: string): Promise<boolean> {
      return await wakeDelayed(events, eventId, looks);
    },
  };
}

/** How the entries of a job that is over leave the queues. */
function endedEntries({ publish, status }: { readonly publish: Queue; readonly status: Queue }) {
  /**
   * Removes the waiting entries of an ended job. An entry with a request of its own stays: somebody added it later under
   * the job's id, and learns that the job has ended when it runs.
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

    /** Removes a job's entries; one that is being run stays, and its owner sees the change in the ledger. */
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

/** How entries get onto `tiktok-publish` and run. */
function publishEntries(publish: Queue, looks: EntryLooks) {
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

  async function replacePublishEntry(entry: PublishEntry): Promise<void> {
    await makeRoom(publish, entry.id, looks);
    await addPublishEntries([entry]);
  }

  return {
    addPublishEntries,

    /** Puts a job on `tiktok-publish` again, in place of its finished entry. */
    replacePublishEntry,

    /** Lets a sleeping entry run after another delay; one that is about to run decides by its record. */
    async delayPublishEntry(entry: PublishEntry): Promise<void> {
      await replacePublishEntry(entry);
      const present = await publish.getJob(entry.id);
      if (present === undefined || !(await present.isDelayed())) return;
      if (entry.delayMs === 0) return await promote(present);
      await present.changeDelay(entry.delayMs).catch(async (error: unknown) => {
        if (await present.isDelayed()) throw error;
      });
    },

    /** Gives an entry another priority among those of all accounts. */
    async changePublishPriority({ id, priority }: Pick<PublishEntry, 'id' | 'priority'>): Promise<void> {
      await (await publish.getJob(id))?.changePriority({ priority });
    },

    /** Lets the entry of a job that has ended run now if it sleeps: it ends as the job did. */
    async wakeEndedEntry(id: string): Promise<void> {
      await wakeDelayed(publish, id, looks);
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
        return await looks.isPending(publish, id);
      }
    },
  };
}

/** How entries get onto `tiktok-status` and run. */
function statusEntries(status: Queue, looks: EntryLooks) {
  /** Lets a finished job be looked at once more, after a delay. */
  async function addRecheckEntry(entry: JobReference, delayMs: number): Promise<void> {
    const jobId = recheckEntryId(entry.id);
    await makeRoom(status, jobId, looks);
    await status.add(RECHECK_JOB_NAME, entry, { jobId, delay: delayMs });
  }

  /** Puts a job on `tiktok-status`. */
  async function addStatusEntry(entry: JobReference, delayMs: number): Promise<void> {
    await status.add(STATUS_JOB_NAME, entry, { jobId: entry.id, delay: delayMs });
  }

  return {
    addRecheckEntry,
    addStatusEntry,

    /** Puts a job on `tiktok-status` again, in place of its finished entry. */
    async replaceStatusEntry(entry: JobReference, delayMs: number): Promise<void> {
      await makeRoom(status, entry.id, looks);
      await addStatusEntry(entry, delayMs);
    },

    /** Lets a delayed status entry run now; one that runs or has run stays as it is. */
    async wakeStatusEntry(id: string): Promise<void> {
      await wakeDelayed(status, id, looks);
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

/** Lets an entry run now if it is delayed. @returns whether it was */
async function wakeDelayed(queue: Queue, id: string, { isDelayed }: EntryLooks): Promise<boolean> {
  // Of most it is asked in vain, so their data is not read.
  const entry = (await isDelayed(queue, id)) ? await queue.getJob(id) : undefined;
  if (entry === undefined) return false;
  await promote(entry);
  return true;
}

/** Lets a delayed entry run now. It may have begun to run meanwhile, which is all we want. */
async function promote(entry: Job): Promise<void> {
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
async function makeRoom(queue: Queue, jobId: string, { isPending }: EntryLooks): Promise<void> {
  const [willRun, entry] = await Promise.all([isPending(queue, jobId), queue.getJob(jobId)]);
  if (entry === undefined || !willRun) await queue.remove(jobId);
}
