import { afterEach, describe, expect, it } from 'vitest';
import { sweepOnce } from '../../../src/workers/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

let pipeline: Pipeline | undefined;

afterEach(async () => {
  await pipeline?.close();
  pipeline = undefined;
});

const WAIT = { timeoutMs: 20_000 };
const LONG_BACKOFF = { maxAttempts: 8, baseMs: 600_000, factor: 1, maxMs: 600_000 };

/** Two jobs of one account, the first of which has its turn and the second of which waits. */
async function startWithTwoJobs() {
  pipeline = await startPipeline({ workers: false, retries: LONG_BACKOFF });
  const { publisher, folder, redis, keys, deps, queues } = pipeline;
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  const request = { account: 'acme', mode: 'inbox', media } as const;
  const [first, second] = await publisher.enqueueBulk([request, request]);
  if (first === undefined || second === undefined) throw new Error('two jobs were enqueued');
  return {
    ...pipeline,
    ...{ first, second },
    /** What the sweep does at a lane that nobody has looked at for a while. */
    async sweep() {
      await redis.zadd(keys.lanes, 'XX', 0, 'acme');
      await sweepOnce(deps);
    },
    isAsleep: async (id: string) => (await (await queues.publish.getJob(id))?.isDelayed()) === true,
  };
}

describe('the sweep', () => {
  it('leaves the job of a paused account asleep, and wakes it when a resume was not followed by a wake-up', async () => {
    const { first, vault, sweep, isAsleep, publisher, startWorkers } = await startWithTwoJobs();
    await vault.pause('acme');
    startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.waitingFor === 'account_paused');
    await eventually(() => isAsleep(first.id));
    await sweep();
    expect(await isAsleep(first.id)).toBe(true);
    await vault.resume('acme');
    await sweep();
    expect(await publisher.waitForCompletion(first.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });

  it('lets an upload under way sit out its backoff', async () => {
    const { first, sweep, isAsleep, publisher, simulator, startWorkers, second } = await startWithTwoJobs();
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'status', httpStatus: 500 } });
    startWorkers();
    await eventually(async () => (await publisher.get(first.id))?.attempts === 1);
    await eventually(() => isAsleep(first.id));
    await sweep();
    expect(await isAsleep(first.id)).toBe(true);
    expect(await publisher.get(second.id)).toMatchObject({ state: 'queued', waitingFor: 'slot' });
  });

  it('wakes a job whose turn has come when whoever gave it the turn died before waking it', async () => {
    const { first, second, sweep, publisher, deps, startWorkers } = await startWithTwoJobs();
    await publisher.cancel(first.id);
    await deps.lanes.leave('acme', first.id);
    startWorkers();
    await sweep();
    expect(await publisher.waitForCompletion(second.id, WAIT)).toMatchObject({ state: 'in_inbox' });
  });
});
