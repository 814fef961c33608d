import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../bench/lab.ts';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { NewRequest } from '../../../src/core/publish-request.ts';
import { freshPrefix } from '../../support/redis.ts';

const JOBS = 100;
const BULK = 1_000;

/* As in cost.test.ts: counts of what `npm run bench` measures beside `Queue.add`. The commands leave no room for one more. */
const BULK_CALLS = 20;
const MOST_COMMANDS = 24.5;
const MOST_COMMANDS_IN_BULK = 21.5;
/** 2.3 kB; hash tables that grow at another moment, and buffers of connections, move it by a tenth. */
const MOST_BYTES = 2_600;

const requests = (from: number, count: number): NewRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    account: `creator-${from + index}`,
    mode: 'direct',
    media: { type: 'file', path: '/srv/media/video.mp4' },
    post: { title: `A video of creator ${from + index}`, privacyLevel: 'SELF_ONLY' },
  }));

it('a job is enqueued by one round trip, jobs of one moment share it, and a thousand take twenty', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: redis.url },
    ...{ dataDir: '', cacheDir: '', queuePrefix: freshPrefix() },
  });
  onTestFinished(() => publisher.close());

  /** What something costs: calls of scripts, which only clients can make, and commands, those inside scripts too. */
  async function costOf(something: () => Promise<unknown>) {
    const scripts = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
    const before = { ...(await redis.use()), calls: await scripts() };
    await something();
    const after = { ...(await redis.use()), calls: await scripts() };
    return {
      calls: after.calls - before.calls,
      commands: after.commands - before.commands,
      bytes: after.memoryBytes - before.memoryBytes,
    };
  }

  // Connects, and loads the script.
  for (const first of requests(0, 1)) await publisher.enqueue(first);
  const oneByOne = await costOf(async () => {
    for (const each of requests(1, JOBS)) await publisher.enqueue(each);
  });
  expect(oneByOne.calls).toBe(JOBS);
  expect(oneByOne.commands / JOBS).toBeLessThan(MOST_COMMANDS);
  const atOnce = await costOf(() => Promise.all(requests(200, 30).map((each) => publisher.enqueue(each))));
  expect(atOnce.calls).toBe(1);
  const bulk = await costOf(() => publisher.enqueueBulk(requests(1_000, BULK)));
  expect(bulk.calls).toBe(BULK_CALLS);
  expect(bulk.commands / BULK).toBeLessThan(MOST_COMMANDS_IN_BULK);
  expect(bulk.bytes / BULK).toBeLessThan(MOST_BYTES);
});
