import { describe, expect, it, onTestFinished } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/core/units.ts';
import { createAccountNames } from '../../../src/lanes/account-names.ts';
import { createLanes } from '../../../src/lanes/lanes.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { createCaps } from '../../../src/quota/caps.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { startWorkers, type WorkerDeps } from '../../../src/workers/index.ts';
import { sweepOnce } from '../../../src/workers/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { directPost, sweepJob } from '../../support/plain-entries.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

const WRONG_CLOCKS = [
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
  ['31 days ahead', 31 * DAY_MS],
  ['31 days behind', -31 * DAY_MS],
] as const;

/** A worker's parts with a clock that is off. */
function depsWithClock(pipeline: Pipeline, aheadMs: number): WorkerDeps {
  const clock = { now: () => Date.now() + aheadMs };
  const parts = { redis: pipeline.redis, keys: pipeline.keys, clock };
  return {
    ...pipeline.deps,
    clock,
    ledger: createLedger(parts),
    caps: createCaps(parts),
    lanes: createLanes(parts),
    accountNames: createAccountNames(parts),
  };
}

async function startWorkersWith(pipeline: Pipeline, deps: WorkerDeps) {
  const connection = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
  onTestFinished(() => closeRedis(connection));
  const workers = startWorkers({
    ...{ deps, connection, prefix: pipeline.prefix },
    concurrency: { upload: 4, status: 20 },
  });
  onTestFinished(() => workers.close({ timeoutMs: 0 }));
  return workers;
}

async function startWithoutWorkers(): Promise<Pipeline> {
  const pipeline = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
  onTestFinished(() => pipeline.close());
  return pipeline;
}

const WAIT = { timeoutMs: 90_000 };

describe('a worker whose clock is wrong', () => {
  it.each(WRONG_CLOCKS)('by %s still publishes each job once, one after the other', async (_, aheadMs) => {
    const pipeline = await startWithoutWorkers();
    await startWorkersWith(pipeline, depsWithClock(pipeline, aheadMs));
    const request = directPost(await makeVideo(pipeline.folder, 1_000_000));
    const jobs = await pipeline.publisher.enqueueBulk([request, request, request]);
    for (const { id } of jobs) {
      const job = await pipeline.publisher.waitForCompletion(id, WAIT);
      expect(job.state).toBe('published');
    }
    expect(pipeline.simulator.journal.posts()).toHaveLength(jobs.length);
  });

  it.each(WRONG_CLOCKS)('by %s has no job forgotten early, by whatever sweep', async (_, aheadMs) => {
    const pipeline = await startWithoutWorkers();
    const { publisher, folder, redis, keys, deps } = pipeline;
    const wrong = depsWithClock(pipeline, aheadMs);
    await startWorkersWith(pipeline, wrong);
    const request = directPost(await makeVideo(folder, 1_000));
    const { id } = await publisher.enqueue(request, { idempotencyKey: 'once' });
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    await sweepJob(pipeline, id);
    await redis.zadd(keys.due, 'XX', 0, id);
    await sweepOnce(wrong);
    expect(await publisher.enqueue(request, { idempotencyKey: 'once' })).toMatchObject({ id, created: false });
    const lookAt = Number(await redis.zscore(keys.due, id));
    expect(Math.abs(lookAt - Date.now() - deps.settings.retentionMs)).toBeLessThan(HOUR_MS);
  });

  it('by 31 days leaves no job asleep that long when it is gone', async () => {
    const pipeline = await startWithoutWorkers();
    const { publisher, folder, simulator, redis, keys, queues } = pipeline;
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stuck_processing' } });
    const workers = await startWorkersWith(pipeline, depsWithClock(pipeline, 31 * DAY_MS));
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    await eventually(async () => {
      const entry = await queues.status.getJob(id);
      return (entry?.delay ?? 0) > 30 * DAY_MS && (await entry?.isDelayed()) === true;
    });
    await workers.close({ timeoutMs: 1_000 });
    simulator.settle((await publisher.get(id))?.publishId ?? '');
    expect(Number(await redis.zscore(keys.due, id))).toBeLessThan(Date.now() + HOUR_MS);
    pipeline.startWorkers();
    await sweepJob(pipeline, id);
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
  });
});
