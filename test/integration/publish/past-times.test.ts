import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestRequest } from '../../../src/core/request-digest.ts';
import { MINUTE_MS } from '../../../src/core/units.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS).toISOString();

let pipeline: Pipeline;
let video: string;
beforeAll(async () => {
  pipeline = await startPipeline();
  video = await makeVideo(pipeline.folder, 1_000);
});
afterAll(() => pipeline.close());

const request = (title: string, scheduledAt: string) => ({ ...directPost(video, title), scheduledAt });

describe('a scheduled time that is over', () => {
  it('is refused when it is more than ten minutes ago, and starts at once when it is less', async () => {
    const { publisher } = pipeline;
    const late = publisher.enqueue(request('late', minutesAgo(11)));
    const problems = [{ path: 'scheduledAt', message: expect.stringContaining('at most 10 minutes ago') }];
    await expect(late).rejects.toMatchObject({ code: 'INPUT_SCHEDULED_IN_PAST', details: { problems } });
    const { id } = await publisher.enqueue(request('just over', minutesAgo(9)));
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'published' });
  });

  it('lets none of a bulk in, and names the entry', async () => {
    const { publisher } = pipeline;
    const bulk = publisher.enqueueBulk([request('first', minutesAgo(0)), request('second', minutesAgo(60))]);
    const problems = [{ path: '[1].scheduledAt' }];
    await expect(bulk).rejects.toMatchObject({ code: 'INPUT_INVALID', details: { problems } });
    const { jobs } = await publisher.list({ account: 'acme' });
    expect(jobs.some(({ scheduledAt }) => scheduledAt === null)).toBe(false);
  });

  it('still gives the job of a key that was seen while it was to come', async () => {
    const { publisher, redis, keys } = pipeline;
    const old = request('keyed', minutesAgo(60));
    const { id } = await publisher.enqueue(request('keyed', minutesAgo(5)), { idempotencyKey: 'seen' });
    const conflict = publisher.enqueue(old, { idempotencyKey: 'seen' });
    await expect(conflict).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    // As if an hour had passed since.
    await redis.hset(keys.job(id), { requestDigest: digestRequest(old) });
    expect(await publisher.enqueue(old, { idempotencyKey: 'seen' })).toMatchObject({ id, created: false });
  });
});

describe('an entry of a plain client', () => {
  it('fails when its time was over before it was added', async () => {
    const { queues, publisher } = pipeline;
    await queues.publish.add('publish', request('old', minutesAgo(60)), { jobId: 'old-entry' });
    const reason = await eventually(async () => {
      const entry = await queues.publish.getJob('old-entry');
      if (entry?.failedReason === undefined) throw new Error('it has not failed yet');
      return entry.failedReason;
    });
    expect(reason).toMatch(/^INPUT_SCHEDULED_IN_PAST: .*\n.*scheduledAt: expected a time/);
    expect(await publisher.get('old-entry')).toBeUndefined();
  });

  it('is published when it waited in the queue until its time was long over', async () => {
    const { queues, publisher } = pipeline;
    const timestamp = Date.now() - 120 * MINUTE_MS;
    await queues.publish.add('publish', request('waited', minutesAgo(60)), { jobId: 'waited-entry', timestamp });
    await eventually(async () => (await publisher.get('waited-entry')) !== undefined);
    expect(await publisher.waitForCompletion('waited-entry', WAIT)).toMatchObject({ state: 'published' });
  });
});
