import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { processPublishEntry } from '../../../src/workers/publish/publish-processor.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { asStarted, directPost } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

/** What BullMQ counts at an entry whose worker died so often. */
const stalledFor = (times: number) => ({ attemptsStarted: times + 1, stalledCounter: times });

/** One start of a job's entry by a worker that dies, or by one that does not. */
async function start(pipeline: Pipeline, id: string, times: number, deps = pipeline.deps): Promise<unknown> {
  const job = await pipeline.queues.publish.getJob(id);
  if (job === undefined) throw new Error(`no entry ${id}`);
  const { attemptsStarted, stalledCounter } = stalledFor(times);
  const entry = asStarted(job, attemptsStarted);
  const { signal } = new AbortController();
  const stop = { signal, draining: signal };
  return await processPublishEntry({ ...entry, run: { ...entry.run, stalls: stalledCounter } }, deps, stop);
}

/** Parts of a worker that ends where it opens the video. */
const deadly = (pipeline: Pipeline, before: () => Promise<unknown> = async () => undefined) => ({
  ...pipeline.deps,
  openMedia: async () => {
    await before();
    return await new Promise<never>(() => undefined);
  },
});

describe('a job at which its workers die', () => {
  it('ends failed with INTERNAL_WORKERS_LOST after five starts, and a retry gives it five more', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, folder } = pipeline;
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    for (const times of [0, 1, 2, 3, 4]) {
      void start(pipeline, id, times, deadly(pipeline));
      await eventually(async () => Number(await pipeline.redis.hget(pipeline.keys.job(id), 'start')) === times + 1);
    }
    expect(await publisher.get(id)).toMatchObject({ state: 'queued' });
    expect(await start(pipeline, id, 5)).toMatchObject({ kind: 'failed' });
    expect(await publisher.get(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'INTERNAL_WORKERS_LOST', retryable: true },
    });

    await publisher.retry(id);
    await start(pipeline, id, 0);
    expect(await publisher.get(id)).toMatchObject({ state: 'processing' });
  });

  it('goes on however often they died, as long as it got further each time', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { publisher, folder, redis, keys } = pipeline;
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    for (const times of Array.from({ length: 12 }).keys()) {
      void start(pipeline, id, times, deadly(pipeline));
      await eventually(async () => Number(await redis.hget(keys.job(id), 'start')) === times + 1);
      await redis.hincrby(keys.job(id), 'acceptedBytes', 1);
    }
    await redis.hset(keys.job(id), 'acceptedBytes', 0);
    await start(pipeline, id, 12);
    expect(await publisher.get(id)).toMatchObject({ state: 'processing' });
  });

  it('fails before it has a record, too, whether its id is its own or a number', async () => {
    const { queues, redis, folder, startWorkers, publisher } = await startTestPipeline({ workers: false });
    const request = directPost(await makeVideo(folder, 1_000));
    const ids: string[] = [];
    for (const jobId of ['poison', undefined]) {
      const { id = '' } = await queues.publish.add('publish', request, jobId === undefined ? {} : { jobId });
      await redis.hset(queues.publish.toKey(id), 'stc', 5);
      ids.push(id);
    }
    await startWorkers();
    for (const id of ids) {
      const reason = await eventually(async () => {
        const failedReason = (await queues.publish.getJob(id))?.failedReason;
        if (failedReason === undefined) throw new Error('it has not failed yet');
        return failedReason;
      });
      expect(reason).toContain(new PublishError('INTERNAL_WORKERS_LOST').message);
    }
    expect((await publisher.list()).jobs).toEqual([]);
  });
});
