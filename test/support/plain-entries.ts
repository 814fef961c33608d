import type { Job } from 'bullmq';
import { DAY_MS } from '../../src/core/units.ts';
import { isNumbered, publishIdOfEntry } from '../../src/ledger/queues/job-ids.ts';
import type { PublishQueueEntry } from '../../src/workers/publish/claim-publish-entry.ts';
import { processPublishEntry } from '../../src/workers/publish/publish-processor.ts';
import { sweepOnce } from '../../src/workers/runtime/sweep.ts';
import { eventually } from './eventually.ts';
import type { Pipeline } from './pipeline.ts';

/** A direct post of a file, with a title to tell it by. */
export const directPost = (path: string, title = 'A title') =>
  ({
    account: 'acme',
    mode: 'direct',
    media: { type: 'file', path },
    post: { title, privacyLevel: 'SELF_ONLY' },
  }) as const;

/** How many posts there are of each title. */
export function postsByTitle({ simulator }: Pipeline): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { title = '' } of simulator.journal.posts()) counts[title] = (counts[title] ?? 0) + 1;
  return counts;
}

/** The ids of all jobs, once there are so many. */
export async function jobIds({ publisher }: Pipeline, count: number): Promise<string[]> {
  return await eventually(async () => {
    const { jobs } = await publisher.list();
    if (jobs.length !== count) throw new Error(`${jobs.length} jobs instead of ${count}`);
    return jobs.map(({ id }) => id);
  });
}

/** Lets the sweep look at a job now. */
export async function sweepJob({ redis, keys, deps }: Pipeline, id: string): Promise<void> {
  await redis.zadd(keys.due, 'XX', 0, id);
  await sweepOnce(deps);
}

/** As if a job's retention were over: the sweep looks at it a month after its last change. */
export async function sweepAMonthLater(pipeline: Pipeline, id: string): Promise<void> {
  await pipeline.redis.hset(pipeline.keys.job(id), { stateSince: Date.now() - 31 * DAY_MS });
  await sweepJob(pipeline, id);
}

/** How many entries of a queue would still run, or run now. */
export async function countLive({ queues }: Pipeline): Promise<number> {
  const live = ['waiting', 'prioritized', 'delayed', 'active'] as const;
  return (await queues.publish.getJobCountByTypes(...live)) + (await queues.status.getJobCountByTypes(...live));
}

/** An entry that BullMQ holds, as a worker hands it to the processor. */
export function asStarted(job: Job, start = 0): PublishQueueEntry {
  return {
    id: publishIdOfEntry(job),
    isNumbered: isNumbered(job),
    data: job.data,
    addedAt: job.timestamp,
    replaceData: async (data) => await job.updateData(data),
    run: { entry: `${job.queueName}:${job.id}:${job.timestamp}`, start },
  };
}

/** A worker's first start of an entry, up to where it is killed. */
export async function startAndDie(pipeline: Pipeline, entry: PublishQueueEntry, deps = pipeline.deps): Promise<void> {
  const { signal } = new AbortController();
  await processPublishEntry(entry, deps, { signal, draining: signal }).catch(() => undefined);
}

/** Adds an entry as a client of another language may, which BullMQ's own would refuse. */
export async function addRawEntry(
  { redis, queues }: { readonly redis: Pipeline['redis']; readonly queues: Pick<Pipeline['queues'], 'publish'> },
  id: string,
  data: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const key = (name: string): string => queues.publish.toKey(name);
  await redis.hset(key(id), {
    ...{ name: 'publish', data, opts: '{}', timestamp: Date.now(), delay: 0, priority: 0 },
    ...fields,
  });
  await redis.lpush(key('wait'), id);
  await redis.zadd(key('marker'), 0, '0');
}
