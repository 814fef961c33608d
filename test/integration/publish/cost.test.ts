import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../bench/lab.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../../src/core/poll-schedule.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

/** For what each process does once. */
const WARM_UP = 20;
const JOBS = 60;
/** At most three polls of each job: the third comes after TikTok is done, however late they all come. */
const polls = { ...DEFAULT_POLL_SCHEDULE, firstMs: 500, factor: 1, maxMs: 500, minPerOpenJobMs: 0 };
const processingMs = 1_250;

/*
 * What `npm run bench` measures beside bare BullMQ, held here by counts, which no load of the machine moves. Who makes
 * a publish cheaper lowers them.
 */
const MOST_CALLS = 26;
const MOST_COMMANDS = 312;
const MOST_BYTES = 10_400;

it('a publish takes no more round trips, commands and bytes of Redis than it did', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const pipeline = await startTestPipeline({
    ...{ redisUrl: redis.url, workers: false, polls, onDuplicate: 'warn' },
    simulator: { processingMs },
  });
  const path = await makeVideo(pipeline.folder, 1_000);
  const accounts = Array.from({ length: WARM_UP + JOBS }, (_, number) => `creator-${number}`);
  for (const account of accounts) await pipeline.addAccount(account);
  await pipeline.startWorkers();

  async function publish(first: number, end: number): Promise<void> {
    for (const account of accounts.slice(first, end)) {
      const post = { title: `A video of ${account}`, privacyLevel: 'SELF_ONLY' } as const;
      await pipeline.publisher.enqueue({ account, mode: 'direct', media: { type: 'file', path }, post });
    }
    // On the connection that is not counted.
    await eventually(async () => (await redis.client.zcard(pipeline.keys.stateJobs('published'))) === end);
  }

  await publish(0, WARM_UP);
  const before = await redis.use();
  const stopCounting = await redis.countCalls();
  await publish(WARM_UP, WARM_UP + JOBS);
  const calls = [...stopCounting().values()].reduce((sum, count) => sum + count, 0);
  const after = await redis.use();
  expect(calls / JOBS).toBeLessThan(MOST_CALLS);
  expect((after.commands - before.commands) / JOBS).toBeLessThan(MOST_COMMANDS);
  expect((after.memoryBytes - before.memoryBytes) / JOBS).toBeLessThan(MOST_BYTES);
});
