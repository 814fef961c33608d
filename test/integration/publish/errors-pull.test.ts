import { describe, expect, it } from 'vitest';
import { openFileSource } from '../../../src/media/file-source.ts';
import { openCase, PULL_URL } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const post = { privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
/** What the URL leads to when we fetch it ourselves; the source of URLs has tests of its own. */
let video = '';
const openMedia = async () => await openFileSource(video);

const eventsOf = ({ timeline }: { timeline: readonly { event: string }[] }) => timeline.map(({ event }) => event);

describe("a pull whose download at TikTok's stands still", () => {
  const world = usePublishWorld(1_000, { pullStallMs: 300, openMedia });

  const open = async () => {
    const { pipeline } = world();
    video = world().video;
    const { account, ...rest } = await openCase(pipeline);
    const enqueue = async (media: { fallback?: 'upload' } = {}) =>
      await pipeline.publisher.enqueue({
        account,
        mode: 'direct',
        post,
        media: { type: 'pull', url: `${PULL_URL}?signature=secret`, ...media },
      });
    return { account, ...rest, enqueue };
  };

  it.concurrent('is stopped there, and fails by name', async () => {
    const { enqueue, fault, ended, posts, inits } = await open();
    fault('video_init', { kind: 'stall_download', afterBytes: 7 });
    const job = await ended(await enqueue());
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_PULL_STALLED', retryable: true } });
    expect(eventsOf(job)).toEqual(expect.arrayContaining(['pull_stalled', 'pull_stopped', 'failed']));
    expect([inits().length, posts().length]).toEqual([1, 0]);
  });

  it.concurrent('is uploaded by us instead, if the request says so', async () => {
    const { enqueue, fault, ended, posts, publishes } = await open();
    fault('video_init', { kind: 'stall_download', afterBytes: 7 });
    const job = await ended(await enqueue({ fallback: 'upload' }));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(eventsOf(job)).toEqual(expect.arrayContaining(['pull_stopped', 'fell_back', 'published']));
    expect(publishes().map(({ source, status }) => [source, status])).toEqual([
      ['PULL_FROM_URL', 'FAILED'],
      ['FILE_UPLOAD', 'PUBLISH_COMPLETE'],
    ]);
    expect(posts()).toMatchObject([{ sha256: world().sha256 }]);
  });

  it.concurrent('is left to TikTok while TikTok will not let it be stopped', async () => {
    const { enqueue, fault, ended, noted, publishes, posts } = await open();
    fault('video_init', { kind: 'stall_download', afterBytes: 7 });
    fault('cancel', { kind: 'status', httpStatus: 400, code: 'publish_not_cancellable' });
    const begun = await enqueue({ fallback: 'upload' });
    const waiting = await noted(begun, 'pull_not_stopped');
    expect(waiting.state).toBe('processing');
    expect(publishes()).toHaveLength(1);
    // Asked again after a while, TikTok stops it; only then the bytes are sent another way.
    const job = await ended(begun);
    expect(job.state).toBe('published');
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('that somebody cancels ends cancelled, and does not fall back', async () => {
    const { enqueue, fault, ended, noted, posts, publishes } = await open();
    fault('video_init', { kind: 'stall_download', afterBytes: 7 });
    const begun = await enqueue({ fallback: 'upload' });
    await noted(begun, 'init_answered');
    await world().pipeline.publisher.cancel(begun.id);
    const job = await ended(begun);
    expect(job.state).toBe('cancelled');
    expect([publishes().length, posts().length]).toEqual([1, 0]);
  });
});

describe('a pull that TikTok gives up', () => {
  const world = usePublishWorld(1_000, { openMedia });

  it('is uploaded by us if the request says so', async () => {
    const { pipeline } = world();
    video = world().video;
    const { account, fault, ended, publishes } = await openCase(pipeline);
    fault('video_init', { kind: 'fail_processing', failReason: 'video_pull_failed' });
    const media = { type: 'pull', url: PULL_URL, fallback: 'upload' } as const;
    const job = await ended(await pipeline.publisher.enqueue({ account, mode: 'direct', post, media }));
    expect(job).toMatchObject({ state: 'published' });
    expect(publishes().map(({ source }) => source)).toEqual(['PULL_FROM_URL', 'FILE_UPLOAD']);
  });
});
