import { Queue } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { createQueues } from '../../../src/ledger/queues/queues.ts';
import type { Publisher } from '../../../src/producers/publisher.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const PARTS = ['wait', 'prioritized', 'delayed', 'marker', 'id', 'pc', 'meta'];

let redis: RedisClient;
let keys: Keys;
let publisher: Publisher;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'producer');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: testRedisUrl() },
    ...{ dataDir: '', cacheDir: '', queuePrefix: keys.prefix },
  });
  onTestFinished(() => publisher.close());
});

const request = (account: string, more: { priority?: number; scheduledAt?: string } = {}) => ({
  ...({
    account,
    mode: 'direct',
    media: { type: 'file', path: '/a.mp4' },
    post: { privacyLevel: 'SELF_ONLY' },
  } as const),
  ...more,
});

/** What differs from the defaults; BullMQ also writes these down, and the id. */
function optionsOf(json: string): object {
  const options = Object.entries(JSON.parse(json) as object);
  return Object.fromEntries(options.filter(([name, value]) => name !== 'jobId' && value !== 0));
}

/** A queue as Redis has it, without what is another in each run: ids, and the times at which entries were added. */
async function contentsOf(prefix: string, ids: readonly string[]) {
  const queue = `${prefix}:tiktok-publish`;
  const known = (text: string) => ids.reduce((left, id, index) => left.replaceAll(id, `job ${index}`), text);
  const entries = await Promise.all(
    ids.map(async (id) => {
      const { opts = '{}', timestamp, ...entry } = await redis.hgetall(`${queue}:${id}`);
      return { ...entry, hasTime: Number(timestamp) > 0, opts: optionsOf(opts) };
    }),
  );
  const parts = await Promise.all(
    PARTS.map(async (part) => {
      const key = `${queue}:${part}`;
      const type = await redis.type(key);
      if (type === 'list') return [part, await redis.lrange(key, '0', '-1')];
      if (type === 'zset') return [part, await redis.zrange(key, '0', '-1')];
      return [part, type === 'hash' ? await redis.hgetall(key) : await redis.get(key)];
    }),
  );
  const told = (await redis.xrange(`${queue}:events`, '-', '+')).map(([, fields]) =>
    fields.filter((text) => !/^\d{13}$/.test(text)),
  );
  return JSON.parse(known(JSON.stringify({ entries, parts, told }))) as unknown;
}

describe('the entry that is added with the record', () => {
  it('is the one that BullMQ adds', async () => {
    const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
    const requests = [
      request('a'),
      request('b', { priority: 7 }),
      request('c', { priority: 7, scheduledAt }),
      request('a'),
    ];
    const ids = [];
    for (const each of requests) ids.push((await publisher.enqueue(each)).id);
    const made = await contentsOf(keys.prefix, ids);

    const prefix = freshPrefix();
    const queues = createQueues({ connection: redis, prefix });
    onTestFinished(() => queues.close());
    const delays = await Promise.all(
      ids.map(async (id) => Number(await redis.hget(`${keys.prefix}:tiktok-publish:${id}`, 'delay'))),
    );
    for (const [index, { account, priority = 0 }] of requests.entries()) {
      await queues.addPublishEntries([{ id: ids[index] ?? '', account, priority, delayMs: delays[index] ?? 0 }]);
    }
    expect(made).toEqual(await contentsOf(prefix, ids));
    expect(delays.map((delay) => delay > 0)).toEqual([false, false, true, true]);
  });

  it('is missing while the queue is damaged, and the job is accepted all the same', async () => {
    const wait = `${keys.prefix}:tiktok-publish:wait`;
    await redis.set(wait, 'no list');
    const { id, created } = await publisher.enqueue(request('a'));
    expect(created).toBe(true);
    expect(await publisher.get(id)).toMatchObject({ state: 'queued' });
    expect(await redis.zscore(keys.due, id)).not.toBeNull();
  });
});

describe('enqueueing many', () => {
  it('makes all but those that Redis refuses', async () => {
    await redis.set(keys.accountJobs('broken'), 'no sorted set');
    const accounts = ['a', 'broken', 'b'];
    const refused = publisher.enqueueBulk(accounts.map((account) => request(account)));
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    const made = await publisher.list({ state: 'queued' });
    expect(made.jobs.map(({ account }) => account).sort()).toEqual(['a', 'b']);
    const queue = new Queue('tiktok-publish', { connection: redis, prefix: keys.prefix });
    onTestFinished(() => queue.close());
    expect(await queue.getWaitingCount()).toBe(2);
  });

  it('gives one job to all that come under one idempotency key, in the order of the calls', async () => {
    const bulk = Array.from({ length: 120 }, (_, index) => ({
      request: request('a'),
      idempotencyKey: `order-${index % 60}`,
    }));
    const jobs = await publisher.enqueueBulk(bulk);
    expect(jobs.map(({ created }) => created)).toEqual(bulk.map((_, index) => index < 60));
    expect(jobs.slice(60).map(({ id }) => id)).toEqual(jobs.slice(0, 60).map(({ id }) => id));
    expect(await redis.zcard(keys.allJobs)).toBe(60);
    const ids = jobs.slice(0, 60).map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
  });
});
