import { type JobsOptions, Queue, type Telemetry } from 'bullmq';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { endedEntries } from './ended-entries.ts';
import { isPending } from './entry-states.ts';
import { eventEntries } from './event-entries.ts';
import { publishEntries } from './publish-entries.ts';
import { QUEUE_NAMES } from './queue-names.ts';
import { statusEntries } from './status-entries.ts';

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
