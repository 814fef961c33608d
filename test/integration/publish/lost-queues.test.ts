import { describe, expect, it, type TestContext } from 'vitest';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { DEFAULT_RECOVERY } from '../../../src/workers/runtime/recovery.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../../support/pipeline.ts';
import { countLive, directPost, postsByTitle, sweepAMonthLater } from '../../support/plain-entries.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { makeVideo } from '../../support/videos.ts';

/** Workers whose sweep looks often; it does what it does every five seconds otherwise. */
async function start(test: TestContext, options: PipelineOptions = {}): Promise<Pipeline> {
  const pipeline = await startPipeline({ ...options, workers: false });
  test.onTestFinished(() => pipeline.close());
  Object.assign(pipeline.deps.settings, { recovery: { ...DEFAULT_RECOVERY, sweepEveryMs: 100 } });
  return pipeline;
}

const WAIT = { timeoutMs: 90_000 };

/** Deletes keys, as an eviction or a careless hand does. */
async function deleteKeys(redis: RedisClient, pattern: string): Promise<number> {
  let deleted = 0;
  for (const key of await redis.keys(pattern.replace(/[{}]/g, '?'))) deleted += await redis.del(key);
  return deleted;
}

/** As if it had been enqueued a while ago: the entry of a new one is added by its enqueuer. */
async function age({ redis, keys }: Pipeline, id: string): Promise<void> {
  await redis.hincrby(keys.job(id), 'createdAt', -20_000);
}

/** A job in each stage in which it waits: for its time, for its turn, for its account, for its outcome. */
async function startWaitingJobs(world: Pipeline) {
  const { publisher, folder, vault, addAccount, simulator, startWorkers, queues } = world;
  const path = await makeVideo(folder, 1_000);
  await addAccount('paused');
  await vault.pause('paused');
  await addAccount('later');
  simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stuck_processing' } });
  const polled = await publisher.enqueue(directPost(path, 'polled'));
  await startWorkers();
  await eventually(async () => (await publisher.get(polled.id))?.state === 'processing');
  const held = await publisher.enqueue({ ...directPost(path, 'held'), account: 'paused' });
  const waiting = await publisher.enqueue({ ...directPost(path, 'waiting'), account: 'paused' });
  const scheduledAt = new Date(Date.now() + 4_000).toISOString();
  const scheduled = await publisher.enqueue({ ...directPost(path, 'scheduled'), account: 'later', scheduledAt });
  for (const { id } of [held, waiting, scheduled]) {
    await eventually(async () => (await queues.publish.getJobState(id)) === 'delayed');
    await age(world, id);
  }
  await eventually(async () => (await queues.status.getJobState(polled.id)) === 'delayed');
  return { polled, held, waiting, scheduled, scheduledAt };
}

async function goOn(world: Pipeline, jobs: Awaited<ReturnType<typeof startWaitingJobs>>): Promise<void> {
  const { publisher, simulator, vault, redis, keys, queues } = world;
  const { polled, held, waiting, scheduled, scheduledAt } = jobs;
  // However long they have to sleep: whoever wakes them finds them.
  for (const { id } of [held, waiting, scheduled]) {
    await eventually(async () => await queues.isPending('publish', id));
  }
  simulator.settle((await publisher.get(polled.id))?.publishId ?? '');
  // A poll is missed a minute after its time.
  await redis.zadd(keys.due, 'XX', 0, polled.id);
  expect(await publisher.waitForCompletion(polled.id, WAIT)).toMatchObject({ state: 'published' });
  await vault.resume('paused');
  await world.wakeLane('paused');
  for (const { id } of [held, waiting]) {
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
  }
  expect(await publisher.waitForCompletion(scheduled.id, WAIT)).toMatchObject({ state: 'published' });
  const late = simulatorPosts(world).find(({ title }) => title === 'scheduled');
  expect(late?.at).toBeGreaterThanOrEqual(Date.parse(scheduledAt));
  expect(postsByTitle(world)).toEqual({ polled: 1, held: 1, waiting: 1, scheduled: 1 });
  await eventually(async () => (await countLive(world)) === 0);
}

const simulatorPosts = ({ simulator }: Pipeline) => simulator.journal.posts();

describe.concurrent('BullMQ’s keys, lost while workers run', () => {
  it.for([
    ['all of them', '*:tiktok-*'],
    ['the lists of delayed entries', '*:delayed'],
    ['meta, marker and id', '*:tiktok-*:[mi][ead]*'],
    ['the entries themselves', '*:tiktok-*:*-*-*-*'],
  ] as const)('(%s) delay no job and double none', async ([, pattern], test) => {
    const world = await start(test);
    const jobs = await startWaitingJobs(world);
    expect(await deleteKeys(world.redis, `${world.prefix}${pattern}`)).toBeGreaterThan(0);
    await goOn(world, jobs);
  });

  it.for(['wait', 'prioritized'])('(the list %s) delay no job and double none', async (list, test) => {
    const world = await start(test);
    const { publisher, folder, redis, prefix, startWorkers, addAccount } = world;
    const path = await makeVideo(folder, 1_000);
    const titles = ['one', 'two', 'three'];
    for (const title of titles) await addAccount(title);
    const jobs = await publisher.enqueueBulk(
      titles.map((title) => ({
        ...directPost(path, title),
        account: title,
        ...(list === 'prioritized' && { priority: 7 }),
      })),
    );
    for (const { id } of jobs) await age(world, id);
    expect(await deleteKeys(redis, `${prefix}:tiktok-publish:${list}`)).toBe(1);
    await startWorkers();
    for (const { id } of jobs) {
      expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    }
    expect(postsByTitle(world)).toEqual({ one: 1, two: 1, three: 1 });
  });

  it('let an upload under way be gone on with where it is', async (test) => {
    const world = await start(test);
    const { publisher, folder, redis, keys, prefix, simulator, startWorkers } = world;
    Object.assign(world.deps.settings, { recovery: { ...DEFAULT_RECOVERY, sweepEveryMs: 100, lockDurationMs: 1_000 } });
    const slow = { kind: 'slow_read', bytesPerSecond: 3_000_000 } as const;
    simulator.faults.add({ endpoint: 'upload', when: { times: 'always' }, act: slow });
    await startWorkers();
    const job = await publisher.enqueue(directPost(await makeVideo(folder, 16_000_000)));
    await eventually(async () => ((await publisher.get(job.id))?.progress.acceptedBytes ?? 0) > 0);
    await deleteKeys(redis, `${prefix}:tiktok-*`);
    await eventually(() => simulator.journal.requests({ endpoint: 'upload', httpStatus: 'aborted' }).length > 0, {
      timeoutMs: 30_000,
    });
    await redis.zadd(keys.due, 'XX', 0, job.id);
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(postsByTitle(world)).toEqual({ 'A title': 1 });
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
  });

  it.for([
    ['finishes', 200],
    ['fails an attempt and waits', 500],
  ] as const)('(the list active) leave no job behind whose worker %s', async ([, httpStatus], test) => {
    const world = await start(test);
    const { publisher, folder, redis, keys, prefix, simulator, startWorkers, queues } = world;
    if (httpStatus === 500) simulator.faults.add({ endpoint: 'upload', act: { kind: 'status', httpStatus } });
    const slow = { kind: 'slow_read', bytesPerSecond: 500_000 } as const;
    simulator.faults.add({ endpoint: 'upload', act: slow });
    await startWorkers();
    const job = await publisher.enqueue(directPost(await makeVideo(folder, 400_000)));
    await eventually(async () => (await publisher.get(job.id))?.state === 'uploading');
    await deleteKeys(redis, `${prefix}:tiktok-publish:active`);
    await eventually(async () => {
      if (!(await queues.isPending('publish', job.id))) await redis.zadd(keys.due, 'XX', 0, job.id);
      return (await publisher.get(job.id))?.state === 'published';
    });
    expect(postsByTitle(world)).toEqual({ 'A title': 1 });
    await sweepAMonthLater(world, job.id);
    expect(await redis.keys(`${prefix.replace(/[{}]/g, '?')}:tiktok-*:${job.id}*`)).toEqual([]);
  });

  it('let a job that has ended be watched on', async (test) => {
    const world = await start(test, { simulator: { moderationMs: 600_000 } });
    const { publisher, folder, queues, redis, keys, prefix, deps, startWorkers } = world;
    await startWorkers();
    const request = directPost(await makeVideo(folder, 1_000));
    const job = await publisher.enqueue({ ...request, post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published', postIds: [] });
    expect(await queues.isPending('status', `${job.id}-recheck`)).toBe(true);
    await deleteKeys(redis, `${prefix}:tiktok-*`);
    await redis.zadd(keys.due, 'XX', 0, job.id);
    await sweepOnce(deps);
    expect(await queues.isPending('status', `${job.id}-recheck`)).toBe(true);
  });
});

describe('everything lost while workers run, the ledger and the scripts too', () => {
  it('lets the workers live on, sends nothing, and enqueueing works again', async (test) => {
    const server = await startRedisServer(['save ""']);
    test.onTestFinished(() => server.close());
    const world = await start(test, { redisUrl: `redis://127.0.0.1:${server.port}` });
    await startWaitingJobs(world);
    const sent = world.simulator.journal.publishes().length;
    await world.redis.flushall();
    await world.redis.script('FLUSH');
    await world.addAccount('new');
    const path = await makeVideo(world.folder, 1_000);
    await eventually(async () => (await world.redis.get(world.keys.sealingKey)) !== null);
    const job = await world.publisher.enqueue({ ...directPost(path, 'new'), account: 'new' });
    const more = await world.publisher.enqueueBulk(
      ['newer', 'newest'].map((title) => ({ ...directPost(path, title), account: 'new' })),
    );
    for (const { id } of [job, ...more]) {
      expect(await world.publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
    }
    expect(postsByTitle(world)).toEqual({ new: 1, newer: 1, newest: 1 });
    expect(world.simulator.journal.publishes()).toHaveLength(sent + 3);
  });
});

describe('the ledger lost while the queues are kept', () => {
  it('lets every entry fail with a clear reason, and nothing is sent', async (test) => {
    const world = await start(test);
    const { polled, held, waiting, scheduled } = await startWaitingJobs(world);
    const { redis, prefix, queues, simulator } = world;
    const sent = simulator.journal.publishes().length;
    await deleteKeys(redis, `${prefix}:job:*`);
    await deleteKeys(redis, `${prefix}:jobs*`);
    await deleteKeys(redis, `${prefix}:lane*`);
    for (const { id } of [held, waiting, scheduled]) {
      const entry = await queues.publish.getJob(id);
      await entry?.promote().catch(() => undefined);
      await eventually(async () => /^JOB_NOT_FOUND: /.test((await queues.publish.getJob(id))?.failedReason ?? ''));
    }
    await eventually(async () => /^JOB_NOT_FOUND: /.test((await queues.status.getJob(polled.id))?.failedReason ?? ''));
    expect(simulator.journal.publishes()).toHaveLength(sent);
    expect(simulator.journal.posts()).toEqual([]);
  });
});
