import { describe, expect, it } from 'vitest';
import { queueFindings } from '../../../src/cli/doctor/queue-findings.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost, sweepAMonthLater } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const INVALID = { account: 'acme' };

/** Adds an entry as any client may write it, field by field. */
async function addFields({ redis, queues }: Pipeline, id: string, fields: Readonly<Record<string, string>>) {
  const key = (name: string): string => queues.publish.toKey(name);
  await redis.hset(key(id), fields);
  await redis.lpush(key('wait'), id);
  await redis.zadd(key('marker'), 0, '0');
}

async function endOf({ redis, queues }: Pipeline, id: string): Promise<string> {
  return await eventually(
    async () => {
      const [endedAt, reason] = await redis.hmget(queues.publish.toKey(id), 'finishedOn', 'failedReason');
      if (endedAt == null) throw new Error(`${id} has not ended yet`);
      return reason ?? 'done';
    },
    { timeoutMs: 90_000 },
  );
}

/** A job that is published shows that nothing got stuck. */
async function expectToWork({ publisher, folder }: Pipeline): Promise<void> {
  const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000), 'after all that'));
  expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'published' });
}

describe('an entry that names keys of others', () => {
  it('as its children deletes none of them, neither when its job is cancelled nor when it is forgotten', async () => {
    const pipeline = await startTestPipeline();
    const { redis, keys, queues, publisher, folder } = pipeline;
    const path = await makeVideo(folder, 1_000);
    const other = await publisher.enqueue(directPost(path, 'other'));
    await publisher.waitForCompletion(other.id);
    const victims = [keys.account('acme'), keys.job(other.id), keys.events, keys.allJobs];
    for (const id of ['cancelled', 'forgotten']) {
      const linked = queues.publish.toKey(id);
      await redis.sadd(`${linked}:dependencies`, ...victims);
      await redis.hset(`${linked}:processed`, Object.fromEntries(victims.map((key) => [key, '1'])));
      await redis.hset(`${linked}:failed`, Object.fromEntries(victims.map((key) => [key, '1'])));
      await redis.zadd(`${linked}:unsuccessful`, ...victims.flatMap((key) => [1, key]));
    }
    const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
    await queues.publish.add('publish', { ...directPost(path), scheduledAt }, { jobId: 'cancelled' });
    await queues.publish.add('publish', directPost(path, 'forgotten'), { jobId: 'forgotten' });
    await eventually(async () => expect(await publisher.get('cancelled')).toMatchObject({ state: 'scheduled' }));
    await eventually(async () => expect(await publisher.get('forgotten')).toMatchObject({ state: 'published' }));
    expect(await endOf(pipeline, 'forgotten')).toBe('done');
    await publisher.cancel('cancelled');
    await sweepAMonthLater(pipeline, 'forgotten');
    await eventually(async () => expect(await publisher.get('forgotten')).toBeUndefined());
    expect(await redis.exists(...victims)).toBe(victims.length);
    expect(await redis.exists(queues.publish.toKey('cancelled'), queues.publish.toKey('forgotten'))).toBe(0);
  });

  it('as its parent, or as that of the next of its deduplication, changes none of them', async () => {
    const pipeline = await startTestPipeline();
    const { redis, keys, queues } = pipeline;
    const account = keys.account('acme');
    const parent = JSON.stringify({ id: 'acme', queueKey: `${keys.prefix}:account`, fpof: true });
    const links = { pk: account, pd: parent, pdk: `${account}:dependencies`, rjk: 'none', jid: 'next' };
    const next = { name: 'publish', data: JSON.stringify(INVALID), opts: '{}', ...links };
    await redis.hset(queues.publish.toKey('dn:same'), next);
    await redis.sadd(`${account}:dependencies`, queues.publish.toKey('child'));
    const before = await redis.hgetall(account);
    await addFields(pipeline, 'first', { data: JSON.stringify(INVALID), deid: 'same' });
    await addFields(pipeline, 'child', { data: JSON.stringify(INVALID), parentKey: account, parent });
    for (const id of ['first', 'next', 'child']) expect(await endOf(pipeline, id)).toContain('INPUT_INVALID');
    expect(await redis.hgetall(account)).toEqual(before);
    expect(await redis.smembers(`${account}:dependencies`)).toEqual([queues.publish.toKey('child')]);
    expect(await redis.exists(`${account}:unsuccessful`, `${account}:processed`)).toBe(0);
    await redis.del(`${account}:dependencies`);
  });
});

describe('an entry whose keys are of other types than BullMQ makes', () => {
  it('loses its lock alone, and those that run beside it keep theirs', async () => {
    const { redis, queues } = await startTestPipeline({ workers: false });
    const key = (id: string): string => queues.publish.toKey(id);
    await redis.rpush(`${key('odd')}:lock`, 'a list');
    for (const id of ['first', 'last']) await redis.set(`${key(id)}:lock`, 'token', 'PX', 1_000);
    const locks = ['first', 'odd', 'last'];
    expect(await queues.publish.getBackend().extendLocks(locks, ['token', 'token', 'token'], 60_000)).toEqual(['odd']);
    for (const id of ['first', 'last']) expect(await redis.pttl(`${key(id)}:lock`)).toBeGreaterThan(1_000);
  });

  it.each<[string, (pipeline: Pipeline, key: string) => Promise<unknown>]>([
    ['a text in place of the entry', ({ redis }, key) => redis.set(key, 'text')],
    ['a list in place of the entry', ({ redis }, key) => redis.rpush(key, 'text')],
    ['a set in place of the entry', ({ redis }, key) => redis.sadd(key, 'text')],
    ['an entry with a hash as its lock', ({ redis }, key) => redis.hset(`${key}:lock`, { field: 'text' })],
  ])('ends, and no other waits for it: %s', async (_, make) => {
    const pipeline = await startTestPipeline();
    for (let number = 0; number < 20; number += 1) {
      const id = `odd-${number}`;
      await make(pipeline, pipeline.queues.publish.toKey(id));
      await pipeline.redis.lpush(pipeline.queues.publish.toKey('wait'), id);
    }
    await pipeline.redis.zadd(pipeline.queues.publish.toKey('marker'), 0, '0');
    await expectToWork(pipeline);
    await eventually(async () =>
      expect(await pipeline.queues.publish.getJobCounts('wait', 'active')).toEqual({ wait: 0, active: 0 }),
    );
  });
});

it('entries of a worker that died are found although somebody has noted a look that never ends', async () => {
  const pipeline = await startTestPipeline({ workers: false });
  const { queues, redis, publisher } = pipeline;
  const key = (name: string): string => queues.publish.toKey(name);
  await redis.set(key('stalled-check'), 'for ever');
  const { id } = await publisher.enqueue(directPost(await makeVideo(pipeline.folder, 1_000), 'found again'));
  // As a worker leaves it that took it and died.
  await redis.lrem(key('wait'), 1, id);
  await redis.lpush(key('active'), id);
  await redis.sadd(key('stalled'), id);
  await pipeline.startWorkersWith({});
  await eventually(async () => expect(await publisher.get(id)).toMatchObject({ state: 'published' }));
});

describe('a delayed entry that BullMQ cannot move', () => {
  it.each<[string, (pipeline: Pipeline, key: string) => Promise<unknown>]>([
    ['a priority that is no number', ({ redis }, key) => redis.hset(key, { priority: 'nan' })],
    ['a priority beyond all', ({ redis }, key) => redis.hset(key, { priority: '1e308' })],
    ['a priority before all', ({ redis }, key) => redis.hset(key, { priority: '-5' })],
    ['a text in place of the entry', ({ redis }, key) => redis.set(key, 'text')],
    ['a text in place of the events', ({ redis, queues }) => redis.set(queues.publish.toKey('events'), 'text')],
    ['a text in place of the marker', ({ redis, queues }) => redis.set(queues.publish.toKey('marker'), 'text')],
  ])('takes none of the others along that are due with it: %s', async (_, make) => {
    const pipeline = await startTestPipeline({ workers: false });
    const { queues, redis } = pipeline;
    const path = await makeVideo(pipeline.folder, 1_000);
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await queues.publish.add('publish', directPost(path, id), { jobId: id, delay: 1 });
    await make(pipeline, queues.publish.toKey('odd'));
    await redis.zadd(queues.publish.toKey('delayed'), 1, 'odd');
    await pipeline.startWorkersWith({});
    for (const id of ids)
      await eventually(async () => expect(await pipeline.publisher.get(id)).toMatchObject({ state: 'published' }));
  });
});

describe('an entry that BullMQ cannot read', () => {
  const data = JSON.stringify(INVALID);
  it.each<[string, Readonly<Record<string, string>>]>([
    ['data that is no JSON', { data: '{oops' }],
    ['options that are no JSON', { data, opts: '{oops' }],
    ['options that are null', { data, opts: 'null' }],
    ['options of 50,000 levels', { data, opts: `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}` }],
    ['a stack trace of 50,000 levels', { data, stacktrace: `${'['.repeat(50_000)}${']'.repeat(50_000)}` }],
    ['progress that is no JSON', { data, progress: '{oops' }],
    ['a parent that is no JSON', { data, parent: '{oops' }],
    ['a parent that is a number', { data, parent: '5', parentKey: 'x' }],
    ['starts that are no number', { data, ats: 'abc' }],
    ['starts beyond any number', { data, ats: '9223372036854775807' }],
    ['attempts that are no number', { data, atm: 'abc' }],
    ['a scheduler that is not there', { data, rjk: 'none' }],
    ['a scheduler of the old kind', { data, rjk: 'a:b:c:d:* * * * *' }],
    ['a scheduler in its options', { data, opts: '{"repeatJobKey":"a:b:c:d:* * * * *"}' }],
    ['a scheduler in its options that is not there', { data, opts: '{"repeatJobKey":"none","repeat":{"every":1}}' }],
    ['attempts in its options that are no number', { data, opts: '{"attempts":{}}' }],
    ['a time for which it is kept that is none', { data, opts: '{"removeOnFail":{"age":"x"}}' }],
    ['a count that is kept that is none', { data, opts: '{"removeOnFail":{"age":1,"limit":"x","count":[]}}' }],
    ['no time', { data }],
    ['a time that is none', { data, timestamp: 'abc' }],
    ['a time beyond all times', { data, timestamp: '99999999999999999999' }],
    ['the id of another entry', { data, id: 'another' }],
    [
      'twenty more fields of 1 MB each',
      { data, ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [n, 'x'.repeat(1_000_000)])) },
    ],
  ])('ends with its reason, and no other waits for it: %s', async (_, fields) => {
    const pipeline = await startTestPipeline();
    await addFields(pipeline, 'unreadable', fields);
    expect(await endOf(pipeline, 'unreadable')).toContain('INPUT_INVALID');
  });

  it('is shown by the board, and does not hide the others from the doctor', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const { queues, redis } = pipeline;
    await addFields(pipeline, 'a', { data: '{oops', opts: 'null', progress: '{' });
    await addFields(pipeline, 'b', { data });
    const waiting = await queues.publish.getJobs(['wait'], 0, 10, true);
    expect(waiting.map((entry) => entry.data)).toEqual(['not JSON', INVALID]);
    expect((await queues.publish.getJob('a'))?.data).toBe('not JSON');
    expect(await queueFindings(redis, queues)).not.toContainEqual(
      expect.objectContaining({ check: 'queues', level: 'fail' }),
    );
  });

  it('whose time cannot be read is published, if the rest is valid', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder } = pipeline;
    const request = JSON.stringify(directPost(await makeVideo(folder, 1_000)));
    await addFields(pipeline, 'timeless', { name: 'publish', data: request });
    await eventually(async () => expect(await publisher.get('timeless')).toBeDefined());
    expect(await publisher.waitForCompletion('timeless', { timeoutMs: 90_000 })).toMatchObject({ state: 'published' });
  });
});
