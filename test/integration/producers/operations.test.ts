import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../src/core/operation.ts';
import { MINUTE_MS } from '../../../src/core/units.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost, postsByTitle } from '../../support/plain-entries.ts';
import { startProxiedRedis } from '../../support/proxied-redis.ts';
import { makeVideo } from '../../support/videos.ts';

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const MISSING = { type: 'file', path: '/no/such/video.mp4' } as const;

/** The operation once it has ended. */
async function ended({ publisher }: Pick<Pipeline, 'publisher'>, id: string): Promise<Operation> {
  return await eventually(async () => {
    const operation = await publisher.operations.get(id);
    expect(operation.state).not.toBe('running');
    return operation;
  });
}

/** Jobs that failed since their file was missing. */
async function failedJobs(pipeline: Pipeline, count: number): Promise<string[]> {
  const { publisher } = pipeline;
  const jobs = await publisher.enqueueBulk(
    Array.from({ length: count }, (_, index) => ({ ...directPost('', `job ${index}`), media: MISSING })),
  );
  const ids = jobs.map(({ id }) => id);
  for (const id of ids) expect(await publisher.waitForCompletion(id)).toMatchObject({ state: 'failed' });
  return ids;
}

describe('an operation', () => {
  it('tells in a dry run what it would do, and does just that', async () => {
    const pipeline = await startTestPipeline({ uploadsPerAccount: 4 });
    const { publisher, redis, keys } = pipeline;
    const ids = await failedJobs(pipeline, 12);
    const [doubtful = ''] = ids;
    // As after a pull whose init got no answer.
    await redis.hset(keys.job(doubtful), {
      state: 'unconfirmed',
      request: JSON.stringify({ ...directPost(''), media: { type: 'pull', url: 'https://example.com/v.mp4' } }),
    });
    const createdAt = (await redis.zscore(keys.stateJobs('failed'), doubtful)) ?? '';
    await redis.zrem(keys.stateJobs('failed'), doubtful);
    await redis.zadd(keys.stateJobs('unconfirmed'), createdAt, doubtful);
    const request = { kind: 'retry', filter: { account: 'acme' } } as const;
    const preview = await publisher.operations.preview(request, { limit: 5 });
    const reason = expect.stringContaining('TikTok may have published the post');
    const refusal = { code: 'JOB_NOT_RETRYABLE', reason };
    expect(preview).toMatchObject({
      jobCount: 12,
      totals: { ways: { fresh_init: 11 }, refused: [{ ...refusal, count: 1 }] },
    });
    const post = 'A title · v.mp4 · SELF_ONLY';
    expect(preview.jobs[0]).toEqual({ id: doubtful, account: 'acme', post, state: 'unconfirmed', way: null, refusal });
    expect(preview.jobs[1]).toMatchObject({ id: ids[1], way: 'fresh_init', refusal: null });
    const cursor = preview.nextCursor ?? '';
    const rest = await publisher.operations.preview(request, { limit: 50, cursor });
    expect([...preview.jobs, ...rest.jobs].map(({ id }) => id)).toEqual(ids);
    expect(rest).toMatchObject({ jobCount: null, totals: null, nextCursor: null });

    const { id } = await publisher.operations.start(request, { by: 'ann' });
    const operation = await ended(pipeline, id);
    expect(operation).toMatchObject({ state: 'done', by: 'ann', jobCount: 12, doneCount: 12, totals: preview.totals });
    expect(await publisher.operations.list()).toEqual([operation]);
    const job = await publisher.waitForCompletion(ids[1] ?? '');
    // It failed again, and this operation left it at that.
    expect(job.timeline.filter(({ event }) => event === 'retry_requested')).toMatchObject([
      { by: 'ann', operation: id },
    ]);
    expect(await publisher.get(doubtful)).toMatchObject({ state: 'unconfirmed' });
    expect(await redis.exists(keys.operationJobs(id))).toBe(0);
  });

  it('cancels what has not been published, and leaves new jobs alone', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder, vault } = pipeline;
    await vault.pause('acme');
    const request = directPost(await makeVideo(folder, 1_000), 'old');
    const old = await publisher.enqueueBulk([request, request, { ...request, scheduledAt: inMs(60 * MINUTE_MS) }]);
    const { id, createdAt } = await publisher.operations.start({ kind: 'cancel', filter: { account: 'acme' } });
    // Jobs of the same millisecond may have been there.
    await eventually(async () => expect(Date.now()).toBeGreaterThan(Date.parse(createdAt)));
    const fresh = await publisher.enqueue({ ...request, post: { ...request.post, title: 'new' } });
    expect(await ended(pipeline, id)).toMatchObject({ jobCount: 3, totals: { ways: { cancel: 3 }, refused: [] } });
    for (const job of old) {
      const { state, timeline } = (await publisher.get(job.id)) ?? {};
      expect({ state, last: timeline?.at(-1) }).toMatchObject({ state: 'cancelled', last: { operation: id } });
    }
    expect((await publisher.get(fresh.id))?.state).toBe('queued');
  });

  it('moves scheduled jobs to a time, or by a time, once', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, folder } = pipeline;
    const request = directPost(await makeVideo(folder, 1_000));
    const at = inMs(60 * MINUTE_MS);
    const jobs = await publisher.enqueueBulk([
      { ...request, scheduledAt: at },
      { ...request, scheduledAt: at, notAfter: inMs(61 * MINUTE_MS) },
    ]);
    const filter = { state: 'scheduled' } as const;
    const shiftMs = 30 * MINUTE_MS;
    const refused = [
      { code: 'JOB_NOT_CHANGEABLE', reason: 'the new time is not before the notAfter of the job', count: 1 },
    ];
    const shift = await publisher.operations.start({ kind: 'reschedule', filter, shiftMs });
    expect(await ended(pipeline, shift.id)).toMatchObject({ shiftMs, totals: { ways: { move: 1 }, refused } });
    const scheduledAt = new Date(Date.parse(at) + shiftMs).toISOString();
    expect((await publisher.get(jobs[0]?.id ?? ''))?.scheduledAt).toBe(scheduledAt);
    expect((await publisher.get(jobs[1]?.id ?? ''))?.scheduledAt).toBe(at);
    const same = await publisher.operations.start({ kind: 'reschedule', filter, scheduledAt: at });
    expect((await ended(pipeline, same.id)).totals).toEqual({ ways: { move: 1, unchanged: 1 }, refused: [] });
  });

  it('leaves the jobs alone that it has not reached when it is aborted', async () => {
    const pipeline = await startTestPipeline({ uploadsPerAccount: 4 });
    const { publisher } = pipeline;
    const ids = await failedJobs(pipeline, 20);
    const { id } = await publisher.operations.start({ kind: 'retry', filter: { state: 'failed' }, ratePerSecond: 3 });
    await eventually(async () => expect((await publisher.operations.get(id)).doneCount).toBeGreaterThan(5));
    const aborted = await publisher.operations.abort(id, { by: 'bob' });
    expect(aborted).toMatchObject({ state: 'aborted', abortedBy: 'bob', jobCount: 20 });
    expect(aborted.doneCount).toBeLessThan(20);
    expect(await publisher.operations.abort(id)).toEqual(aborted);
    for (const job of ids) await publisher.waitForCompletion(job);
    const retried = await Promise.all(ids.map(async (job) => (await publisher.get(job))?.timeline ?? []));
    const count = retried.filter((timeline) => timeline.some(({ event }) => event === 'retry_requested')).length;
    expect(count).toBe((await publisher.operations.get(id)).doneCount);
  });

  it('acts once on each job, however many processes carry it out', async () => {
    const pipeline = await startTestPipeline({ uploadsPerAccount: 4 });
    const { publisher, deps, folder, redis, keys } = pipeline;
    const { operations } = deps;
    const ids = await failedJobs(pipeline, 5);
    const video = await makeVideo(folder, 1_000);
    for (const [index, id] of ids.entries())
      await redis.hset(keys.job(id), 'request', JSON.stringify(directPost(video, `job ${index}`)));
    const { id } = await publisher.operations.start({ kind: 'retry', filter: { state: 'failed' }, ratePerSecond: 2 });
    const stored = await eventually(async () => {
      const found = await operations.read(id);
      if (found?.operation.jobCount == null) throw new Error('it has not gathered its jobs yet');
      return found;
    });
    // A page that a process gathers late changes nothing any more.
    await operations.gather(id, '', ids, null);
    await Promise.all([...ids, ...ids].map((job) => deps.operateOnJob(job, stored)));
    const { totals } = await ended(pipeline, id);
    expect(totals).toEqual({ ways: { fresh_init: 5 }, refused: [] });
    for (const job of ids) expect(await publisher.waitForCompletion(job)).toMatchObject({ state: 'published' });
    expect(Object.values(postsByTitle(pipeline))).toEqual(ids.map(() => 1));
  });

  it('does nothing to a job that fails again, also by a process that comes late', async () => {
    const pipeline = await startTestPipeline();
    const { publisher, deps } = pipeline;
    const [job = ''] = await failedJobs(pipeline, 1);
    const { id } = await publisher.operations.start({ kind: 'retry', filter: { state: 'failed' } });
    const stored = await eventually(async () => {
      const found = await deps.operations.read(id);
      if (found?.operation.jobCount == null) throw new Error('it has not gathered its jobs yet');
      return found;
    });
    await ended(pipeline, id);
    await publisher.waitForCompletion(job);
    await deps.operateOnJob(job, stored);
    const { state, timeline = [] } = (await publisher.get(job)) ?? {};
    expect(state).toBe('failed');
    expect(timeline.filter(({ event }) => event === 'retry_requested')).toHaveLength(1);
    expect((await publisher.operations.get(id)).totals).toEqual({ ways: { fresh_init: 1 }, refused: [] });
  });

  it('goes on after Redis refused every write, and acts once on each job', async (test) => {
    const { operator, proxy } = await startProxiedRedis(test);
    const messages: string[] = [];
    const log = pino({ level: 'warn' }, { write: (text: string) => void messages.push(JSON.parse(text).msg) });
    const redisUrl = `redis://127.0.0.1:${proxy.port}`;
    const pipeline = await startTestPipeline({ redisUrl, log, uploadsPerAccount: 4 });
    const { publisher } = pipeline;
    const ids = await failedJobs(pipeline, 20);
    const { id } = await publisher.operations.start({ kind: 'retry', filter: { state: 'failed' }, ratePerSecond: 4 });
    await eventually(async () => expect((await publisher.operations.get(id)).doneCount).toBeGreaterThan(0));
    await operator.config('SET', 'min-replicas-to-write', '1');
    await eventually(() => messages.includes('operation interrupted'));
    await operator.config('SET', 'min-replicas-to-write', '0');
    expect(await ended(pipeline, id)).toMatchObject({
      state: 'done',
      totals: { ways: { fresh_init: 20 }, refused: [] },
    });
    for (const job of ids) {
      const { timeline = [] } = (await publisher.get(job)) ?? {};
      expect(timeline.filter(({ event }) => event === 'retry_requested')).toHaveLength(1);
    }
  });

  it('is refused without a condition, and without what it needs', async () => {
    const { publisher } = await startTestPipeline({ workers: false });
    const wrong = [
      [{ kind: 'retry', filter: {} }, 'filter'],
      [{ kind: 'reschedule', filter: { state: 'scheduled' } }, 'scheduledAt'],
      [{ kind: 'cancel', filter: { state: 'queued' }, shiftMs: 1 }, 'shiftMs'],
      [{ kind: 'cancel', filter: { metadata: { campaign: 'spring' } } }, 'metadata.campaign'],
    ] as const;
    for (const [request, path] of wrong) {
      const refusal = { code: 'INPUT_INVALID', details: { problems: [{ path }] } };
      await expect(publisher.operations.preview(request)).rejects.toMatchObject(refusal);
      await expect(publisher.operations.start(request)).rejects.toMatchObject(refusal);
    }
    await expect(publisher.operations.get('none')).rejects.toMatchObject({ code: 'OPERATION_NOT_FOUND' });
  });

  it('waits until one of many unfinished ones has ended', async () => {
    const { publisher, redis, keys } = await startTestPipeline({ workers: false });
    const request = { kind: 'cancel', filter: { state: 'queued' } } as const;
    for (let made = 0; made < 20; made += 1) await publisher.operations.start(request);
    await expect(publisher.operations.start(request)).rejects.toMatchObject({ code: 'OPERATION_LIMIT' });
    const [first] = await publisher.operations.list();
    await publisher.operations.abort(first?.id ?? '');
    await publisher.operations.start(request);
    // Of ended ones, the newest are kept.
    await redis.zadd(keys.operations, ...Array.from({ length: 200 }, (_, index) => [index, `ended-${index}`]).flat());
    await publisher.operations.abort((await publisher.operations.list())[0]?.id ?? '');
    await publisher.operations.start(request);
    expect(await redis.zcard(keys.operations)).toBe(200);
  });

  it('leaves places to the others, however many one starts', async () => {
    const { publisher } = await startTestPipeline({ workers: false });
    const start = (by: string) =>
      publisher.operations.start({ kind: 'cancel', filter: { state: 'queued' }, ratePerSecond: 1 }, { by });
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => start('key shop')));
    const refused = answers.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    const limit = { code: 'OPERATION_LIMIT', message: expect.stringContaining('10 operations of key shop') };
    expect(refused).toEqual([expect.objectContaining(limit), expect.objectContaining(limit)]);
    const [newest] = await publisher.operations.list();
    await start('key other');
    await publisher.operations.abort(newest?.id ?? '');
    await start('key shop');
  });
});
