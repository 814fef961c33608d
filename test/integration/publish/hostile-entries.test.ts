import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { decodeEvent } from '../../../src/core/publish-event.ts';
import { OPERATOR, signedInAs, startBoardSite } from '../../support/board-site.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { addRawEntry, directPost } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const MEGABYTE = 1_048_576;

const entryShown = z.looseObject({ id: z.string(), data: z.unknown() });
const lists = z.object({ queues: z.array(z.looseObject({ name: z.string(), jobs: z.array(entryShown) })) });

async function failureOf({ queues }: Pipeline, id: string): Promise<string> {
  return await eventually(async () => {
    const reason = (await queues.publish.getJob(id))?.failedReason;
    if (reason === undefined) throw new Error(`${id} has not failed yet`);
    return reason;
  });
}

/** A job that is published shows that nothing got stuck. */
async function expectToWork({ publisher, folder }: Pipeline): Promise<void> {
  const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000), 'after all that'));
  expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'published' });
}

describe('an entry that is too long', () => {
  it('fails with its size and is never read, by workers, the board or the sweep', async () => {
    const pipeline = await startTestPipeline();
    const { queues, redis } = pipeline;
    const data = { ...directPost('/a.mp4'), metadata: { text: 'x'.repeat(30 * MEGABYTE) } };
    await queues.publish.add('publish', data, { jobId: 'long' });
    expect(await failureOf(pipeline, 'long')).toMatch(
      /INPUT_INVALID: .*expected at most 1048576 bytes of JSON, got 3145\d+/s,
    );
    expect(await redis.hstrlen(queues.publish.toKey('long'), 'data')).toBeLessThan(100);
    await expectToWork(pipeline);
  });

  it('is shown by its size while it waits', async () => {
    const { queues } = await startTestPipeline({ workers: false });
    const long = { text: 'x'.repeat(2 * MEGABYTE) };
    await queues.publish.add('publish', long, { jobId: 'long' });
    await queues.publish.add(`publish${'e'.repeat(2 * MEGABYTE)}`, { short: true }, { jobId: 'named' });
    const expected = { leftOutBytes: JSON.stringify(long).length };
    expect((await queues.publish.getJob('long'))?.data).toEqual(expected);
    const waiting = await queues.publish.getJobs(['wait'], 0, 10, true);
    expect(waiting.map(({ data }) => data)).toEqual([expected, { short: true }]);
    expect(waiting.map(({ name }) => name)).toEqual(['publish', undefined]);
  });
});

describe('a page of the board', () => {
  it('is short whatever its entries hold, and names their sizes', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const site = await startBoardSite(pipeline);
    onTestFinished(() => site.close());
    const { queues } = pipeline;
    const text = 'x'.repeat(MEGABYTE / 2);
    const jobs = Array.from({ length: 100 }, (_, n) => ({
      name: 'publish',
      data: { text },
      opts: { jobId: `long-${n}` },
    }));
    await queues.publish.addBulk(jobs);
    const stacktrace = JSON.stringify(['y'.repeat(60_000)]);
    for (const { opts } of jobs) await pipeline.redis.hset(queues.publish.toKey(opts.jobId), { stacktrace });
    await queues.publish.add('publish', {}, { jobId: 'i'.repeat(5_000) });
    const list = '/board/api/queues?activeQueue=tiktok-publish&status=waiting&page=1&jobsPerPage=300';
    const body = await (await fetch(`${site.url}${list}`, { headers: signedInAs(OPERATOR) })).text();
    expect(body.length).toBeLessThan(200_000);
    const { queues: shown } = lists.parse(JSON.parse(body));
    const { jobs: entries = [] } = shown.find(({ name }) => name === 'tiktok-publish') ?? {};
    expect(entries.map(({ id }) => id).toSorted()).toEqual(jobs.map(({ opts }) => opts.jobId).toSorted());
    const sizes = new Set(entries.map(({ data }) => JSON.stringify(data)));
    expect([...sizes]).toEqual([JSON.stringify({ leftOutBytes: JSON.stringify({ text }).length })]);
  });

  it('shows a long request only on the page of its entry', async () => {
    const pipeline = await startTestPipeline({ workers: false });
    const site = await startBoardSite(pipeline);
    onTestFinished(() => site.close());
    const photos = Array.from({ length: 35 }, (_, n) => `https://photos.example/${n}/${'p'.repeat(1_000)}`);
    const { id } = await pipeline.publisher.enqueue({ ...directPost(''), media: { type: 'photos', urls: photos } });
    const ask = async (path: string) =>
      await (await fetch(`${site.url}/board/api/queues${path}`, { headers: signedInAs(OPERATOR) })).text();
    const body = await ask('?activeQueue=tiktok-publish&status=waiting&page=1&jobsPerPage=300');
    expect(body).toContain(id);
    expect(body).toContain('leftOutBytes');
    expect(body).not.toContain('photos.example');
    expect(await ask(`/tiktok-publish/${id}`)).toContain('photos.example/34/');
  });
});

describe('what the service does not use', () => {
  it.each([
    '/job-schedulers',
    '/queues/tiktok-publish/metrics',
    '/queues/tiktok-publish/family/flow',
    '/queues/tiktok-publish/family/flow?root=node&depth=10&maxChildren=100',
    '/queues?activeQueue=tiktok-publish&status=latest',
  ])('is not read by the board, whatever an app has made of it: %s', async (path) => {
    const { queues, redis, ...pipeline } = await startTestPipeline({ workers: false });
    const site = await startBoardSite({ queues, redis, ...pipeline });
    onTestFinished(() => site.close());
    const key = (name: string): string => queues.publish.toKey(name);
    const { id = '' } = await queues.publish.add('publish', {}, { jobId: 'family' });
    const seen = Array.from({ length: 1_000 }, (_, n) => `seen-${n}`);
    await redis.zadd(key('repeat'), ...seen.flatMap((name, n) => [n, name]));
    await redis.hset(key('repeat:seen-1'), { name: 'seen-1', every: 1_000, ic: 1 });
    await redis.rpush(key('metrics:completed:data'), ...seen);
    await redis.hset(key('metrics:completed'), { count: 5, prevTS: 1, prevCount: 1 });
    await redis.sadd(key(`${id}:dependencies`), ...seen.map((name) => key(name)));
    await redis.hset(key(`${id}:failed`), Object.fromEntries(seen.map((name) => [name, name])));
    await redis.zadd(key(`${id}:unsuccessful`), ...seen.flatMap((name, n) => [n, name]));
    const answer = await fetch(`${site.url}/board/api${path}`, { headers: signedInAs(OPERATOR) });
    expect(answer.status).toBe(200);
    const body = await answer.text();
    expect(body).not.toContain('seen-');
    expect(body).not.toMatch(/"count":5|"(unprocessed|failed|ignored)":1000|"jobSchedulerCount":[1-9]/);
  });
});

describe('an entry whose id is too long', () => {
  it.each([
    ['wait', async ({ redis, queues }: Pipeline, id: string) => redis.lpush(queues.publish.toKey('wait'), id)],
    [
      'prioritized',
      async ({ redis, queues }: Pipeline, id: string) => redis.zadd(queues.publish.toKey('prioritized'), 1, id),
    ],
    ['delayed', async ({ redis, queues }: Pipeline, id: string) => redis.zadd(queues.publish.toKey('delayed'), 1, id)],
  ])('is taken away unread, and those after it run: %s', async (_, add) => {
    const pipeline = await startTestPipeline();
    const { queues, redis } = pipeline;
    for (const id of [`a${'i'.repeat(10 * MEGABYTE)}`, `b${'i'.repeat(100_000)}`]) {
      await redis.hset(queues.publish.toKey(id), { name: 'publish', data: '{}', opts: '{}', timestamp: 1 });
      await add(pipeline, id);
    }
    await expectToWork(pipeline);
    const counts = await queues.publish.getJobCounts('active', 'wait', 'prioritized', 'delayed', 'failed');
    expect(counts).toEqual({ active: 0, wait: 0, prioritized: 0, delayed: 0, failed: 0 });
    expect(await redis.exists(queues.publish.toKey(`b${'i'.repeat(100_000)}`))).toBe(0);
  });
});

describe('an entry with long fields', () => {
  it('is shown without those that nobody writes at such a length', async () => {
    const { queues, redis } = await startTestPipeline({ workers: false });
    const { id = '' } = await queues.publish.add('publish', {}, { jobId: 'fields' });
    const long = 'x'.repeat(5_000);
    const fields = {
      name: long,
      failedReason: long,
      defa: long,
      pb: long,
      stacktrace: JSON.stringify([long.repeat(20)]),
    };
    await redis.hset(queues.publish.toKey(id), fields);
    expect(JSON.stringify(await queues.publish.getJob(id))).not.toContain('xxx');
  });
});

describe('an entry that is hard to read', () => {
  it.each([
    ['a URL of many slashes', { ...directPost(''), media: { type: 'url', url: `https:${'//'.repeat(250_000)}` } }],
    ['text of many slashes', { text: `http:${'//'.repeat(250_000)}` }],
    ['a URL that no one can read', { ...directPost(''), callbackUrl: `https://${'@'.repeat(500_000)}` }],
  ])('fails with its reason: %s', async (_, data) => {
    const pipeline = await startTestPipeline();
    await pipeline.queues.publish.add('publish', data, { jobId: 'slow' });
    expect(await failureOf(pipeline, 'slow')).toContain('INPUT_INVALID');
    await expectToWork(pipeline);
  });

  it.each([
    ['metadata of 1,000 levels', 1_000],
    ['metadata of 3,000 levels', 3_000],
    ['metadata of 100,000 levels', 100_000],
  ])('fails with its reason: %s', async (_, levels) => {
    const pipeline = await startTestPipeline();
    const { redis, keys } = pipeline;
    const metadata = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    await addRawEntry(
      pipeline,
      'deep',
      JSON.stringify({ ...directPost('/a.mp4'), metadata: 0 }).replace('"metadata":0', `"metadata":${metadata}`),
    );
    expect(await failureOf(pipeline, 'deep')).toContain('metadata: expected at most 32 levels of objects and lists');
    expect(await redis.exists(keys.job('deep'))).toBe(0);
    await expectToWork(pipeline);
  });
});

describe("a plain client's job id", () => {
  it.each([
    ['a quote that would forge an event', 'x","type":"publish.completed","y":"'],
    ['a line break', 'x\r\ny'],
    ['white space', 'two words'],
    ['a colon, which BullMQ refuses in the next queue', 'order:7'],
    ['an id of a recheck', 'order-recheck'],
    ['braces', '{other}:x'],
    ['a control character', 'x\u001b[2Jy'],
    ['a mark that turns the text around', 'x\u202ey'],
    ['10 KB', 'x'.repeat(10_240)],
    ['10 KB of digits', '9'.repeat(10_240)],
    ['a folder above', '..'],
  ])('is refused: %s', async (_, id) => {
    const pipeline = await startTestPipeline();
    const { queues, redis, keys, publisher, folder } = pipeline;
    await addRawEntry(pipeline, id, JSON.stringify(directPost(await makeVideo(folder, 1_000))));
    expect(await failureOf(pipeline, id)).toMatch(/^INPUT_INVALID: .*jobId: expected 1 to 255 characters without/s);
    await expectToWork(pipeline);
    expect((await publisher.list()).jobs).toHaveLength(1);
    const entries = await redis.xrange(keys.events, '-', '+');
    expect(entries.map(([, fields]) => decodeEvent(fields)?.subject)).not.toContain(undefined);
    expect(await queues.publish.getJobCounts('active', 'wait')).toMatchObject({ active: 0, wait: 0 });
  });

  it.each(['order-7', '__proto__', 'constructor', 'größe-ñ', 'a/b?c#d', '%00', 'x'.repeat(255)])(
    'is taken as it is, and the job is published: %s',
    async (id) => {
      const pipeline = await startTestPipeline();
      const { publisher, folder } = pipeline;
      await addRawEntry(pipeline, id, JSON.stringify(directPost(await makeVideo(folder, 1_000))));
      await eventually(async () => (await publisher.get(id)) !== undefined);
      expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ id, state: 'published' });
    },
  );
});
