import { describe, expect, it } from 'vitest';
import { openRedisParts } from '../../../src/app/redis-parts.ts';
import { DAY_MS, HOUR_MS } from '../../../src/core/units.ts';
import type { WorkerDeps } from '../../../src/workers/deps.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost, sweepJob } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const WRONG_CLOCKS = [
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
  ['31 days ahead', 31 * DAY_MS],
  ['31 days behind', -31 * DAY_MS],
] as const;

/** A worker's parts with a clock that is off. */
function depsWithClock({ app, redis, deps }: Pipeline, aheadMs: number): WorkerDeps {
  const clock = { now: () => Date.now() + aheadMs };
  const { ledger, caps, lanes, accountNames } = openRedisParts(app, redis, {
    clock,
    telemetry: undefined,
  });
  return { ...deps, clock, ledger, caps, lanes, accountNames };
}

async function startWithoutWorkers(): Promise<Pipeline> {
  const pipeline = await startTestPipeline({ workers: false, simulator: { processingMs: 20 } });
  return pipeline;
}

const WAIT = { timeoutMs: 90_000 };

describe('a worker whose clock is wrong', () => {
  it.each(WRONG_CLOCKS)('by %s still publishes each job once, one after the other', async (_, aheadMs) => {
    const pipeline = await startWithoutWorkers();
    await pipeline.startWorkersWith(depsWithClock(pipeline, aheadMs));
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
    await pipeline.startWorkersWith(wrong);
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
    const workers = await pipeline.startWorkersWith(depsWithClock(pipeline, 31 * DAY_MS));
    const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000)));
    await eventually(async () => {
      const entry = await queues.status.getJob(id);
      return (entry?.delay ?? 0) > 30 * DAY_MS && (await entry?.isDelayed()) === true;
    });
    await workers.close({ timeoutMs: 1_000 });
    simulator.settle((await publisher.get(id))?.publishId ?? '');
    expect(Number(await redis.zscore(keys.due, id))).toBeLessThan(Date.now() + HOUR_MS);
    await pipeline.startWorkers();
    await sweepJob(pipeline, id);
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
  });
});
