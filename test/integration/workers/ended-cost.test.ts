import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../bench/lab.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const JOBS = 5;
/** Its record, whether its entry sleeps, whether that of the next recheck is there (4), and when it is looked at again. */
const COMMANDS_OF_A_LOOK = 7;

it('the look at a job that has ended takes seven commands', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const pipeline = await startTestPipeline({ redisUrl: redis.url, workers: false });
  const { publisher, folder, keys, deps, queues } = pipeline;
  const workers = await pipeline.startWorkersWith({});
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  const jobs = await publisher.enqueueBulk(Array(JOBS).fill({ account: 'acme', mode: 'inbox', media }));
  await Promise.all(jobs.map(({ id }) => publisher.waitForCompletion(id, { timeoutMs: 90_000 })));
  await eventually(async () => (await queues.status.getCompletedCount()) === JOBS);
  await workers.close({ timeoutMs: 10_000 });
  // No job is due until it is told to be.
  await deps.ledger.takeDue(Date.now() + 86_400_000, JOBS);
  async function commandsOfSweep(): Promise<number> {
    const before = await redis.use();
    await sweepOnce(deps);
    return (await redis.use()).commands - before.commands;
  }
  await commandsOfSweep();
  const idle = await commandsOfSweep();
  for (const { id } of jobs) await redis.client.zadd(keys.due, 0, id);
  expect((await commandsOfSweep()) - idle).toBeLessThanOrEqual(JOBS * COMMANDS_OF_A_LOOK + 1);
});
