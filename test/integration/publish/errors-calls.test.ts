import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { rejection } from '../../support/rejection.ts';
import { makeVideo } from '../../support/videos.ts';

let pipeline: Pipeline;
let path: string;

beforeAll(async () => {
  pipeline = await startPipeline({ simulator: { processingMs: 20 } });
  path = await makeVideo(pipeline.folder, 1_000);
});

afterAll(async () => {
  await pipeline.close();
});

describe('a call that cannot be served', () => {
  it('names every problem of a request, and makes no job', async () => {
    const { account } = await openCase(pipeline);
    const request = { account, mode: 'direct', media: { type: 'file', path: '' }, post: {} };
    const error = await rejection(pipeline.publisher.enqueue(JSON.parse(JSON.stringify(request))));
    expect(error.code).toBe('INPUT_INVALID');
    expect(error.details.problems?.map((problem) => problem.path)).toEqual(['media.path', 'post.privacyLevel']);
    expect((await pipeline.publisher.list({ account })).jobs).toEqual([]);
  });

  it('refuses a request of a later version', async () => {
    const { account } = await openCase(pipeline);
    const request = { version: 2, account, mode: 'inbox', media: { type: 'file', path } };
    const error = await rejection(pipeline.publisher.enqueue(JSON.parse(JSON.stringify(request))));
    expect(error.code).toBe('INPUT_VERSION_UNSUPPORTED');
  });

  it('refuses an idempotency key that stands for another request, and posts the first one once', async () => {
    const { account, ended, posts } = await openCase(pipeline);
    const request = { account, mode: 'direct', media: { type: 'file', path } } as const;
    const idempotencyKey = `key-of-${account}`;
    const enqueue = (privacyLevel: 'SELF_ONLY' | 'PUBLIC_TO_EVERYONE') =>
      pipeline.publisher.enqueue({ ...request, post: { privacyLevel } }, { idempotencyKey });
    const first = await enqueue('SELF_ONLY');
    expect((await rejection(enqueue('PUBLIC_TO_EVERYONE'))).code).toBe('IDEMPOTENCY_CONFLICT');
    expect((await enqueue('SELF_ONLY')).id).toBe(first.id);
    const job = await ended(first);
    expect(job).toMatchObject({ state: 'published' });
    // Repeated, it shows all that is known of the job.
    expect(await enqueue('SELF_ONLY')).toEqual({ ...job, created: false });
    expect(posts()).toHaveLength(1);
  });

  it('stops waiting when its time is over, and the job goes on', async () => {
    const { fault, enqueueFile, ended } = await openCase(pipeline);
    fault('video_init', { kind: 'delay', ms: 300 });
    const job = await enqueueFile(path);
    const error = await rejection(pipeline.publisher.waitForCompletion(job.id, { timeoutMs: 50 }));
    expect(error.code).toBe('WAIT_TIMED_OUT');
    expect(await ended(job)).toMatchObject({ state: 'published' });
  });

  it('knows no job of a made-up id', async () => {
    expect((await rejection(pipeline.publisher.waitForCompletion('made-up', { timeoutMs: 1_000 }))).code).toBe(
      'JOB_NOT_FOUND',
    );
    expect(await pipeline.publisher.get('made-up')).toBeUndefined();
  });
});
