import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openFileSource } from '../../../src/media/file-source.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { claimJob, OwnedJob } from '../../../src/workers/owned-job.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { eventually } from '../../support/eventually.ts';
import { RAPID_POLLS, startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const PULL_URL = 'https://videos.example.com/a.mp4';
const VERIFIED = { verifiedUrlPrefixes: ['https://videos.example.com/'] };
const post = { title: 'A title', privacyLevel: 'SELF_ONLY' } as const;
const file = (path: string) => ({ account: 'acme', mode: 'direct', media: { type: 'file', path }, post }) as const;
const pull = { account: 'acme', mode: 'direct', media: { type: 'pull', url: PULL_URL }, post } as const;

describe('cancel', () => {
  it('ends a scheduled job at once and takes it off the queue', async () => {
    const { publisher, folder, queues } = await startTestPipeline();
    const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
    const job = await publisher.enqueue({ ...file(await makeVideo(folder, 1_000)), scheduledAt });
    expect(job.state).toBe('scheduled');
    expect(await publisher.cancel(job.id)).toMatchObject({ state: 'cancelled' });
    expect(await queues.publish.getJobState(job.id)).toBe('unknown');
    expect(await publisher.cancel(job.id)).toMatchObject({ state: 'cancelled' });
  });

  it('stops an upload before its last chunk, and nothing is published', async () => {
    const { publisher, folder, simulator } = await startTestPipeline();
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'slow_read', bytesPerSecond: 1_500_000 } });
    const job = await publisher.enqueue(file(await makeVideo(folder, 12_000_000)));
    await eventually(async () => ((await publisher.get(job.id))?.progress.sentBytes ?? 0) > 0);
    expect(await publisher.cancel(job.id)).toMatchObject({ state: 'cancelled' });
    await eventually(() => simulator.journal.requests({ endpoint: 'upload' })[0]?.httpStatus === 'aborted');
    expect(simulator.journal.posts()).toHaveLength(0);
    expect(await publisher.get(job.id)).toMatchObject({ state: 'cancelled' });
  });

  it('says clearly that it is too late once TikTok has everything', async () => {
    const { publisher, folder } = await startTestPipeline({ simulator: { processingMs: 3_000 } });
    const job = await publisher.enqueue(file(await makeVideo(folder, 1_000)));
    await eventually(async () => (await publisher.get(job.id))?.state === 'processing');
    await expect(publisher.cancel(job.id)).rejects.toMatchObject({ code: 'JOB_NOT_CANCELLABLE' });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    await expect(publisher.cancel(job.id)).rejects.toThrow(/published/);
  });

  it('has TikTok stop a running pull', async () => {
    const { publisher, simulator } = await startTestPipeline({ simulator: { ...VERIFIED, pullMs: 60_000 } });
    const job = await publisher.enqueue(pull);
    await eventually(async () => (await publisher.get(job.id))?.state === 'processing');
    await publisher.cancel(job.id);
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended.state).toBe('cancelled');
    expect(ended.timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['cancel_requested', 'cancel_accepted', 'cancelled']),
    );
    expect(simulator.journal.posts()).toHaveLength(0);
  });

  it('keeps a pull that dies meanwhile from being begun anew, also when TikTok would not stop it', async () => {
    let video = '';
    const { publisher, folder, simulator } = await startTestPipeline({
      simulator: { ...VERIFIED, pullMs: 700 },
      openMedia: async () => await openFileSource(video),
    });
    video = await makeVideo(folder, 1_000);
    const failReason = 'video_pull_failed';
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'fail_processing', failReason } });
    const refusal = { kind: 'status', httpStatus: 400, code: 'publish_not_cancellable' } as const;
    simulator.faults.add({ endpoint: 'cancel', act: refusal });
    const job = await publisher.enqueue({ ...pull, media: { ...pull.media, fallback: 'upload' } });
    await eventually(async () => (await publisher.get(job.id))?.state === 'processing');
    await publisher.cancel(job.id);
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended.state).toBe('cancelled');
    expect(ended.timeline.map(({ event }) => event)).toEqual(expect.arrayContaining(['cancel_refused', 'cancelled']));
    expect(simulator.journal.publishes()).toHaveLength(1);
  });

  it('holds for a pull whose init is refused meanwhile', async () => {
    const { publisher, deps, simulator, startWorkers } = await startTestPipeline({
      workers: false,
      simulator: VERIFIED,
    });
    const { id } = await publisher.enqueue(pull);
    const job = await claimJob(id, { entry: 'of a worker', start: 1 }, deps.ledger);
    if (!(job instanceof OwnedJob)) throw new Error('nobody else runs it');
    const cause = { event: 'init_sent', source: 'pull' } as const;
    await job.commit({
      to: 'uploading',
      cause,
      patch: { session: { kind: 'init_sent', intendedAt: Date.now() }, initCount: 1 },
    });
    await publisher.cancel(id);
    await job.commit({
      to: 'queued',
      cause: { event: 'deferred', waitingFor: 'rate_limit', until: new Date().toISOString() },
      patch: { session: { kind: 'none' } },
    });
    await startWorkers();
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'cancelled' });
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(0);
  });

  it('is passed on to TikTok although a pull that stood still was stopped before, in vain', async () => {
    const { publisher, simulator } = await startTestPipeline({ simulator: VERIFIED, pullStallMs: 300 });
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stall_download', afterBytes: 7 } });
    const body = '{"error":{"code":"ok","message":"","log_id":"1"}}';
    simulator.faults.add({ endpoint: 'cancel', act: { kind: 'raw', httpStatus: 200, body } });
    const job = await publisher.enqueue(pull);
    const events = async () => (await publisher.get(job.id))?.timeline.map(({ event }) => event) ?? [];
    await eventually(async () => (await events()).includes('pull_stopped'));
    await publisher.cancel(job.id);
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'cancelled' });
    expect(await events()).toContain('cancel_accepted');
  });

  it('knows no job of another id', async () => {
    const { publisher } = await startTestPipeline();
    await expect(publisher.cancel('nobody')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('retry', () => {
  it('begins afresh after TikTok failed the post', async () => {
    const { publisher, folder, simulator, queues } = await startTestPipeline();
    simulator.faults.add({
      endpoint: 'video_init',
      act: { kind: 'fail_processing', failReason: 'file_format_check_failed' },
    });
    const job = await publisher.enqueue(file(await makeVideo(folder, 1_000)));
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({
      state: 'failed',
      failure: { code: 'TIKTOK_MEDIA_FORMAT' },
    });
    await eventually(async () => (await queues.status.getFailedCount()) === 1);
    expect(await publisher.retry(job.id)).toMatchObject({ action: 'fresh_init', failure: null });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(simulator.journal.posts()).toHaveLength(1);
    await eventually(async () => (await queues.status.getFailedCount()) === 0);
  });

  it('goes on with the bytes of an upload that failed midway', async () => {
    const { publisher, folder, simulator } = await startTestPipeline();
    simulator.faults.add({
      endpoint: 'upload',
      when: { chunkIndex: 1 },
      act: { kind: 'status', httpStatus: 400 },
    });
    const job = await publisher.enqueue(file(await makeVideo(folder, 16_000_000)));
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({
      state: 'failed',
      failure: { code: 'UPLOAD_CHUNK_REFUSED' },
    });
    expect(await publisher.retry(job.id)).toMatchObject({ action: 'resume' });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(simulator.journal.publishes()).toHaveLength(1);
    expect(simulator.journal.requests({ endpoint: 'video_init' })).toHaveLength(1);
  });

  it('refuses an unconfirmed pull without a publish_id unless forced', async () => {
    const { publisher, simulator } = await startTestPipeline({ simulator: VERIFIED });
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'drop_before' } });
    const job = await publisher.enqueue(pull);
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_LOST_INIT' } });
    await expect(publisher.retry(job.id)).rejects.toMatchObject({ code: 'JOB_NOT_RETRYABLE' });
    expect(await publisher.retry(job.id, { force: true })).toMatchObject({ action: 'fresh_init' });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(simulator.journal.posts()).toHaveLength(1);
  });

  it('repeats a lost pull init by itself where the caller chose so', async () => {
    const { publisher, simulator } = await startTestPipeline({ simulator: VERIFIED });
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'drop_before' } });
    const job = await publisher.enqueue({ ...pull, onLostInit: 'repeat' });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published' });
    expect(simulator.journal.posts()).toHaveLength(1);
  });

  it('gives a job that has waited for too long its whole patience anew', async () => {
    const { publisher, folder, vault, redis, keys, deps } = await startTestPipeline({ maxWaitMs: 60_000 });
    await vault.pause('acme');
    const job = await publisher.enqueue(file(await makeVideo(folder, 1_000)));
    const sweepHeld = async () => {
      await eventually(async () => (await publisher.get(job.id))?.waitingFor === 'account_paused');
      await redis.zadd(keys.due, 'XX', 0, job.id);
      await sweepOnce(deps);
    };
    await eventually(async () => (await publisher.get(job.id))?.waitingFor === 'account_paused');
    await redis.hset(keys.job(job.id), { createdAt: Date.now() - 61_000 });
    await sweepHeld();
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ failure: { code: 'AUTH_ACCOUNT_PAUSED' } });
    await publisher.retry(job.id);
    await sweepHeld();
    expect(await publisher.get(job.id)).toMatchObject({ state: 'queued', waitingFor: 'account_paused' });
  });

  it('refuses a job that is going on or was published', async () => {
    const { publisher, folder } = await startTestPipeline();
    const job = await publisher.enqueue(file(await makeVideo(folder, 1_000)));
    await publisher.waitForCompletion(job.id, WAIT);
    await expect(publisher.retry(job.id)).rejects.toThrow(/published/);
  });
});

describe('a pull whose worker died before the answer to its init', () => {
  it('is unconfirmed at once, also when its account was paused meanwhile', async () => {
    const { publisher, vault, deps, startWorkers } = await startTestPipeline({ workers: false, simulator: VERIFIED });
    const { id } = await publisher.enqueue(pull);
    const job = await claimJob(id, { entry: 'of the worker that died', start: 1 }, deps.ledger);
    if (!(job instanceof OwnedJob)) throw new Error('nobody else runs it');
    const intent = { session: { kind: 'init_sent', intendedAt: Date.now() }, initCount: 1 } as const;
    await job.commit({
      to: 'uploading',
      cause: { event: 'init_sent', source: 'pull' } as const,
      patch: intent,
    });
    await vault.pause('acme');
    await startWorkers();
    expect(await publisher.waitForCompletion(id, WAIT)).toMatchObject({
      state: 'unconfirmed',
      failure: { code: 'TIKTOK_LOST_INIT' },
    });
  });
});

describe('a pull whose worker died before the answer to its init, and whose URL nobody can open any more', () => {
  it('is unconfirmed, and not failed', async () => {
    const { publisher, deps, startWorkers } = await startTestPipeline({ workers: false, simulator: VERIFIED });
    const { id } = await publisher.enqueue({ ...pull, media: { type: 'pull', url: `${PULL_URL}?signature=secret` } });
    const job = await claimJob(id, { entry: 'of the worker that died', start: 1 }, deps.ledger);
    if (!(job instanceof OwnedJob)) throw new Error('nobody else runs it');
    const cause = { event: 'init_sent', source: 'pull' } as const;
    const intent = { session: { kind: 'init_sent', intendedAt: Date.now() }, initCount: 1 } as const;
    await job.commit({ to: 'uploading', cause, patch: intent });
    Object.assign(deps, { requestSecrets: createRequestSecrets([randomBytes(32)]) });
    await startWorkers();
    const ended = await publisher.waitForCompletion(id, WAIT);
    expect(ended).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_LOST_INIT' } });
    await expect(publisher.retry(id)).rejects.toMatchObject({ code: 'JOB_NOT_RETRYABLE' });
  });
});

describe('a late answer', () => {
  it('corrects an unconfirmed job, its failed entry and reports it', async () => {
    const { publisher, folder, simulator, events, queues } = await startTestPipeline({
      polls: { ...RAPID_POLLS, giveUpAfterMs: 300 },
    });
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stuck_processing' } });
    const job = await publisher.enqueue(file(await makeVideo(folder, 1_000)));
    const ended = await publisher.waitForCompletion(job.id, WAIT);
    expect(ended).toMatchObject({ state: 'unconfirmed', failure: { code: 'TIKTOK_NO_OUTCOME' } });
    await eventually(async () => (await queues.status.getFailedCount()) === 1);
    simulator.settle(ended.publishId ?? '');
    const recheck = await queues.status.getJob(`${job.id}-recheck`);
    await recheck?.promote();
    await eventually(async () => (await publisher.get(job.id))?.state === 'published');
    await eventually(async () => (await queues.status.getFailedCount()) === 0);
    expect((await events()).map(({ type }) => type).slice(-2)).toEqual(['publish.unconfirmed', 'publish.published']);
  });

  it('brings the post id of a public post that was moderated for long', async () => {
    const { publisher, folder, simulator, events, queues } = await startTestPipeline({
      simulator: { moderationMs: 1_500 },
    });
    const path = await makeVideo(folder, 1_000);
    const job = await publisher.enqueue({ ...file(path), post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } });
    expect(await publisher.waitForCompletion(job.id, WAIT)).toMatchObject({ state: 'published', postIds: [] });
    const recheckNow = async () => {
      await (await queues.status.getJob(`${job.id}-recheck`))?.promote().catch(() => undefined);
      return ((await publisher.get(job.id))?.postIds.length ?? 0) > 0;
    };
    await eventually(recheckNow, { intervalMs: 500 });
    expect((await publisher.get(job.id))?.postIds).toEqual([simulator.journal.posts()[0]?.postId]);
    expect((await events()).at(-1)?.type).toBe('publish.post_available');
  });
});
