import { Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo, sha256OfFile } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const direct = (path: string) =>
  ({
    account: 'acme',
    mode: 'direct',
    media: { type: 'file', path },
    post: { title: 'A title', privacyLevel: 'PUBLIC_TO_EVERYONE' },
  }) as const;

describe('publishing a file', () => {
  it('uploads in several chunks, polls to the end and knows the post id to the last digit', async () => {
    const { publisher, simulator, folder, events } = await startTestPipeline();
    const path = await makeVideo(folder, 12_000_000);
    const job = await publisher.enqueue({ ...direct(path), metadata: { yourId: 'x-1' } });
    expect(job.state).toBe('queued');
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended.failure).toBeNull();
    expect(ended.state).toBe('published');
    const [post] = simulator.journal.posts();
    expect(ended.postIds).toEqual([post?.postId]);
    expect(post?.sha256).toBe(await sha256OfFile(path));
    expect(ended.progress).toEqual({ totalBytes: 12_000_000, sentBytes: 12_000_000, acceptedBytes: 12_000_000 });
    expect(simulator.journal.publishes()).toHaveLength(1);
    expect(simulator.journal.requests({ endpoint: 'upload' })).toHaveLength(2);
    const reported = await events();
    expect(reported.map(({ type }) => type)).toEqual([
      'publish.queued',
      'publish.started',
      'publish.upload.completed',
      'publish.published',
    ]);
    expect(new Set(reported.map(({ id }) => id)).size).toBe(4);
    expect(reported.at(-1)).toMatchObject({
      specversion: '1.0',
      subject: job.id,
      data: { state: 'published', postIds: ended.postIds, metadata: { yourId: 'x-1' } },
    });
  });

  it('uploads a small file as one chunk', async () => {
    const { publisher, simulator, folder } = await startTestPipeline();
    const path = await makeVideo(folder, 1_000);
    const job = await publisher.enqueue(direct(path));
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(simulator.journal.posts()[0]?.sha256).toBe(await sha256OfFile(path));
  });

  it('delivers to the inbox, which is the success of inbox mode', async () => {
    const { publisher, simulator, folder } = await startTestPipeline();
    const path = await makeVideo(folder, 6_000_000);
    const job = await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended).toMatchObject({ state: 'in_inbox', failure: null });
    expect(simulator.journal.publishes()[0]?.kind).toBe('inbox');
  });
});

describe('publishing by pull', () => {
  it.each(['direct', 'inbox'] as const)('lets TikTok fetch the URL in %s mode', async (mode) => {
    const { publisher, simulator } = await startTestPipeline({
      simulator: { verifiedUrlPrefixes: ['https://videos.example.com/'] },
    });
    const job = await publisher.enqueue({
      account: 'acme',
      media: { type: 'pull', url: 'https://videos.example.com/a.mp4' },
      ...(mode === 'direct' ? { mode, post: { privacyLevel: 'SELF_ONLY' } } : { mode }),
    });
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended.state).toBe(mode === 'direct' ? 'published' : 'in_inbox');
    expect(simulator.journal.publishes()).toHaveLength(1);
  });

  it('fails with advice when the URL is not verified', async () => {
    const { publisher } = await startTestPipeline();
    const job = await publisher.enqueue({
      account: 'acme',
      mode: 'direct',
      media: { type: 'pull', url: 'https://elsewhere.example.com/a.mp4' },
      post: { privacyLevel: 'SELF_ONLY' },
    });
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_URL_UNVERIFIED' } });
    expect(ended.failure?.advice).not.toBe('');
  });
});

describe('any BullMQ client', () => {
  async function addByQueue(prefix: string, data: unknown, options: { jobId?: string } = {}): Promise<void> {
    const connection = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'producer');
    const queue = new Queue('tiktok-publish', { connection, prefix });
    await queue.add('publish', data, options);
    await queue.close();
    await closeRedis(connection);
  }

  it('publishes a job that was added without this library', async () => {
    const { publisher, folder, simulator, prefix } = await startTestPipeline();
    await addByQueue(prefix, direct(await makeVideo(folder, 1_000)), { jobId: 'order-55' });
    await eventually(async () => (await publisher.get('order-55')) !== undefined);
    expect(await publisher.waitForCompletion('order-55', WAIT)).toMatchObject({ id: 'order-55', state: 'published' });
    expect(simulator.journal.posts()).toHaveLength(1);
  });

  it('publishes a job that BullMQ numbered', async () => {
    const { publisher, folder, prefix } = await startTestPipeline();
    await addByQueue(prefix, direct(await makeVideo(folder, 1_000)));
    const job = await eventually(async () => {
      const [found] = (await publisher.list()).jobs;
      if (found === undefined) throw new Error('nothing is listed yet');
      return found;
    });
    expect(job.id).toMatch(/^bull-1-/);
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
  });

  it('fails a malformed job with every reason and goes on with the others', async () => {
    const { publisher, folder, queues, prefix } = await startTestPipeline();
    await addByQueue(prefix, { account: 'acme', mode: 'live', media: { type: 'file' }, extra: 1 }, { jobId: 'bad' });
    const job = await publisher.enqueue(direct(await makeVideo(folder, 1_000)));
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    const reason = await eventually(async () => (await queues.publish.getJob('bad'))?.failedReason ?? false);
    expect(reason).toMatch(/^INPUT_INVALID: /);
    for (const field of ['mode', 'media.path', 'extra']) expect(reason).toContain(field);
    expect(await publisher.get('bad')).toBeUndefined();
  });

  it('keeps no secret of a malformed job', async () => {
    const { queues, prefix } = await startTestPipeline();
    const url = 'https://user:planted-password@media.example.com/a.mp4?X-Amz-Signature=planted-signature';
    const broken = 'https://user:planted-password@media example.com/a.mp4?sig=planted-signature';
    const request = { account: 'acme', mode: 'live', media: { type: 'url', url }, more: [broken] };
    await addByQueue(prefix, request, { jobId: 'careless' });
    const job = await eventually(async () => {
      const found = await queues.publish.getJob('careless');
      if (found?.failedReason === undefined) throw new Error('it has not failed yet');
      return found;
    });
    expect(JSON.stringify(job.toJSON())).not.toContain('planted');
    expect(job.data).toMatchObject({ account: 'acme', media: { url: 'https://media.example.com/a.mp4' } });
  });

  it('refuses a payload of the future clearly and keeps it', async () => {
    const { folder, queues, prefix } = await startTestPipeline();
    await addByQueue(prefix, { ...direct(await makeVideo(folder, 1_000)), version: 2 }, { jobId: 'future' });
    const job = await eventually(async () => {
      const found = await queues.publish.getJob('future');
      if (found?.failedReason === undefined) throw new Error('it has not failed yet');
      return found;
    });
    expect(job.failedReason).toMatch(/^INPUT_VERSION_UNSUPPORTED: .*version/);
    expect(job.data).toMatchObject({ version: 2 });
  });
});
