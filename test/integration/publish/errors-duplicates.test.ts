import { copyFile, open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../../src/core/error-table.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import type { VideoClaims } from '../../../src/ledger/video-claims.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase, PULL_URL } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';
import { makeVideo } from '../../support/videos.ts';

const VIDEO_BYTES = 6_000_000;

const world = usePublishWorld(VIDEO_BYTES, { onDuplicate: 'warn', uploadsPerAccount: 4 });

type OnDuplicate = NonNullable<PublishRequest['onDuplicate']>;

/** Enqueues a draft of this medium. */
const enqueue = (
  { publisher }: Pipeline,
  account: string,
  media: PublishRequest['media'] | string,
  onDuplicate?: OnDuplicate,
): Promise<PublishJob> =>
  publisher.enqueue({
    account,
    mode: 'inbox',
    media: typeof media === 'string' ? { type: 'file', path: media } : media,
    ...(onDuplicate !== undefined && { onDuplicate }),
  });

const notedDuplicates = ({ timeline }: PublishJob): unknown[] =>
  timeline.filter(({ event }) => event === 'duplicate_noted').map(({ otherJobId }) => otherJobId);

describe('a video that was published on the account before', () => {
  it.concurrent('is refused by a different name before anything is sent, and names the other job', async () => {
    const { pipeline, video } = world();
    const { account, ended, inits } = await openCase(pipeline);
    const first = await ended(await enqueue(pipeline, account, video));
    const copy = join(pipeline.folder, `copy-${account}.mp4`);
    await copyFile(video, copy);
    const second = await ended(await enqueue(pipeline, account, copy, 'refuse'));
    const { advice } = ERROR_TABLE.INPUT_DUPLICATE_VIDEO;
    expect(second).toMatchObject({ state: 'failed', attempts: 0, publishId: null });
    expect(second.failure).toMatchObject({ code: 'INPUT_DUPLICATE_VIDEO', advice, retryable: true });
    expect(second.failure?.message).toBe(`publish job ${first.id} of this account has the same media and is in_inbox`);
    expect(inits()).toHaveLength(1);
  });

  it.concurrent('is published with a note where the setting says warn', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline);
    const first = await ended(await enqueue(pipeline, account, video));
    const second = await ended(await enqueue(pipeline, account, video));
    const third = await ended(await enqueue(pipeline, account, video, 'warn'));
    expect([first, second, third].map(({ state }) => state)).toEqual(['in_inbox', 'in_inbox', 'in_inbox']);
    expect([first, second, third].map(notedDuplicates)).toEqual([[], [first.id], [second.id]]);
  });

  it.concurrent('is neither looked at nor remembered where the request allows it', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline);
    for (const _turn of [1, 2]) {
      const job = await ended(await enqueue(pipeline, account, video, 'allow'));
      expect([job.state, notedDuplicates(job)]).toEqual(['in_inbox', []]);
    }
    expect(await pipeline.redis.keys(pipeline.keys.claimedVideo(account, '*'))).toEqual([]);
    expect((await ended(await enqueue(pipeline, account, video, 'refuse'))).state).toBe('in_inbox');
  });

  it.concurrent('is another one on another account', async () => {
    const { pipeline, video } = world();
    for (const _account of [1, 2]) {
      const { account, ended } = await openCase(pipeline);
      expect((await ended(await enqueue(pipeline, account, video, 'refuse'))).state).toBe('in_inbox');
    }
  });

  it.concurrent.each([
    ['first', 0],
    ['last', VIDEO_BYTES - 1],
  ])('is another one when its %s byte is another', async (_which, at) => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline);
    await ended(await enqueue(pipeline, account, video));
    const other = join(pipeline.folder, `other-${account}.mp4`);
    await copyFile(video, other);
    const file = await open(other, 'r+');
    await file.write(Buffer.from([1]), 0, 1, at);
    await file.close();
    expect((await ended(await enqueue(pipeline, account, other, 'refuse'))).state).toBe('in_inbox');
  });

  it.concurrent('is told by its URL where TikTok fetches it, whoever signed it', async () => {
    const { pipeline } = world();
    const { account, ended, inits } = await openCase(pipeline);
    const first = await ended(
      await enqueue(pipeline, account, { type: 'pull', url: `${PULL_URL}?X-Amz-Signature=one` }),
    );
    expect(first.state).toBe('in_inbox');
    const again = { type: 'pull', url: `${PULL_URL}?X-Amz-Signature=two` } as const;
    const second = await ended(await enqueue(pipeline, account, again, 'refuse'));
    expect(second).toMatchObject({ state: 'failed', failure: { code: 'INPUT_DUPLICATE_VIDEO' } });
    const other = { type: 'pull', url: `${PULL_URL}?id=2` } as const;
    expect((await ended(await enqueue(pipeline, account, other, 'refuse'))).state).toBe('in_inbox');
    expect(inits()).toHaveLength(2);
  });

  it.concurrent('is told by their URLs where it is photos', async () => {
    const { pipeline } = world();
    const { account, ended } = await openCase(pipeline);
    const photos = (...names: string[]) =>
      ({ type: 'photos', urls: names.map((name) => `https://videos.example.com/${name}.jpg`) }) as const;
    const post = (media: PublishRequest['media']) => enqueue(pipeline, account, media, 'refuse').then(ended);
    expect((await post(photos('a', 'b'))).state).toBe('in_inbox');
    expect((await post(photos('a', 'b'))).failure?.code).toBe('INPUT_DUPLICATE_VIDEO');
    expect((await post(photos('b', 'a'))).state).toBe('in_inbox');
  });
});

describe('of several jobs with the same video', () => {
  it.concurrent('one is published, when all refuse and run at once', async () => {
    const { pipeline, video } = world();
    const { account, ended, publishes, inits } = await openCase(pipeline);
    const enqueued = await Promise.all([1, 2, 3, 4].map(() => enqueue(pipeline, account, video, 'refuse')));
    const jobs = await Promise.all(enqueued.map(ended));
    expect(jobs.map(({ state }) => state).sort()).toEqual(['failed', 'failed', 'failed', 'in_inbox']);
    const winner = jobs.find(({ state }) => state === 'in_inbox');
    for (const { failure } of jobs.filter(({ state }) => state === 'failed')) {
      expect(failure?.code).toBe('INPUT_DUPLICATE_VIDEO');
      expect(failure?.message).toContain(winner?.id);
    }
    expect([inits().length, publishes().length]).toEqual([1, 1]);
  });

  it.concurrent('the next gets its chance when the first one failed', async () => {
    const { pipeline, video } = world();
    const { account, fault, ended } = await openCase(pipeline);
    fault('inbox_init', { kind: 'status', httpStatus: 400, code: 'invalid_params' });
    const first = await ended(await enqueue(pipeline, account, video, 'refuse'));
    const second = await ended(await enqueue(pipeline, account, video, 'refuse'));
    expect([first.state, second.state]).toEqual(['failed', 'in_inbox']);
    // Now the first one would be the second post.
    await pipeline.publisher.retry(first.id);
    const retried = await ended(first);
    expect(retried).toMatchObject({ state: 'failed', failure: { code: 'INPUT_DUPLICATE_VIDEO' } });
    expect(retried.failure?.message).toContain(second.id);
  });

  it.concurrent('the first is not in its own way, however often it is tried', async () => {
    const { pipeline, video } = world();
    const { account, fault, ended, noted } = await openCase(pipeline);
    fault('upload', { kind: 'status', httpStatus: 500 }, { times: 2 });
    const enqueued = await enqueue(pipeline, account, video, 'refuse');
    await noted(enqueued, 'attempt_failed');
    expect((await ended(enqueued)).state).toBe('in_inbox');
  });

  it.concurrent('the first looks again when its file was touched while it waited', async () => {
    const { pipeline } = world();
    const { account, ended, noted, fault } = await openCase(pipeline);
    // Its record says so until it has ended.
    fault('status', { kind: 'delay', ms: 3_000 });
    const path = await makeVideo(pipeline.folder, VIDEO_BYTES, `mine-${account}.mp4`);
    const reservations = { account, endpoint: 'inbox_init', limit: 6, windowMs: 60_000 } as const;
    await pipeline.deps.reservations.push({ ...reservations, notBeforeAt: Date.now() + 6_000 });
    const enqueued = await enqueue(pipeline, account, path, 'refuse');
    await noted(enqueued, 'deferred');
    const { claimedVideo } = (await pipeline.deps.ledger.read(enqueued.id)) ?? {};
    await utimes(path, 1, 1);
    await noted(enqueued, 'upload_completed');
    const later = (await pipeline.deps.ledger.read(enqueued.id))?.claimedVideo;
    expect((await ended(enqueued)).state).toBe('in_inbox');
    // The claim itself stays; what the record knew of the video is of no use any more.
    const { claimedVideo: kept, pin } = (await pipeline.deps.ledger.read(enqueued.id)) ?? {};
    expect({ kept, pin }).toEqual({});
    expect(later?.digest).toBe(claimedVideo?.digest);
    expect(later?.pin?.version).not.toBe(claimedVideo?.pin?.version);
  });
});

describe('a job whose claim came through, and whose worker never knew', () => {
  it('has the video all the same, when it runs again and when another asks meanwhile', async () => {
    const own = await startPipeline({ workers: false, onDuplicate: 'refuse', simulator: { processingMs: 20 } });
    const { videoClaims } = own.deps;
    const claimedBy: string[] = [];
    const claim: VideoClaims['claim'] = async (job, ...rest) => {
      const other = await videoClaims.claim(job, ...rest);
      claimedBy.push(job.id);
      if (claimedBy.length === 1) throw new Error('the connection broke');
      return other;
    };
    const { account, ended, publishes } = await openCase(own);
    const video = await makeVideo(own.folder, 10_000);
    const [first, second] = await own.publisher.enqueueBulk(
      [1, 2].map(() => ({ account, mode: 'inbox' as const, media: { type: 'file' as const, path: video } })),
    );
    if (first === undefined || second === undefined) throw new Error('nothing was enqueued');
    await own.startWorkersWith({ videoClaims: { claim } });
    const states = [(await ended(first)).state, (await ended(second)).state];
    expect(states.sort()).toEqual(['failed', 'in_inbox']);
    // The claim was noted with it, so the job does not claim again.
    expect(claimedBy.filter((id) => id === claimedBy[0])).toHaveLength(1);
    expect(publishes()).toHaveLength(1);
    expect((await own.publisher.get(claimedBy[0] ?? ''))?.state).toBe('in_inbox');
    await own.close();
  });
});

describe('what is said of duplicates', () => {
  it('is counted', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline);
    await ended(await enqueue(pipeline, account, video));
    await ended(await enqueue(pipeline, account, video));
    await ended(await enqueue(pipeline, account, video, 'refuse'));
    await eventually(async () => {
      const text = await pipeline.metrics.render();
      expect(text).toMatch(/tiktok_publish_duplicates_total\{action="warn"\} [1-9]/);
      expect(text).toMatch(/tiktok_publish_duplicates_total\{action="refuse"\} [1-9]/);
    });
  });
});

describe('a published video', () => {
  const forgetful = usePublishWorld(10_000, { onDuplicate: 'refuse', duplicateWindowMs: 1 });

  it('counts for the time that is set, by the setting alone', async () => {
    const { pipeline, video } = forgetful();
    const { account, ended } = await openCase(pipeline);
    for (const _turn of [1, 2]) expect((await ended(await enqueue(pipeline, account, video))).state).toBe('in_inbox');
  });
});
