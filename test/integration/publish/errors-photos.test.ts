import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jpegOf, PICTURES, photo, refusal, startPhotoServer } from '../../support/photos.ts';
import { openCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';
import { startPullSite } from '../../support/pull-site.ts';

let server: Awaited<ReturnType<typeof startPhotoServer>>;
beforeAll(async () => {
  server = await startPhotoServer({
    'a.jpg': photo(jpegOf(1_080, 1_920)),
    'a.webp': photo(PICTURES.webp),
    'large.jpg': photo(jpegOf(4_000, 3_000)),
    'a.png': photo(PICTURES.png),
    'moved.jpg': refusal(301, { location: '/a.jpg' }),
    'busy.jpg': refusal(503),
  });
});
afterAll(() => server.close());

const media = (...names: string[]) => ({ type: 'photos' as const, urls: names.map(server.url) });
const simulator = { fetchPulls: true, switches: { pullUrlRules: 'off' } } as const;

describe('photos that TikTok is to download', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse', simulator });
  const publish = async (...names: string[]) => {
    const { account, ended, inits } = await openCase(world().pipeline);
    const job = await world().pipeline.publisher.enqueue({ account, mode: 'inbox', media: media(...names) });
    return { job: await ended(job), inits: inits() };
  };

  it.concurrent('F14: are looked at first, and posted where TikTok takes them', async () => {
    const { job } = await publish('a.jpg', 'a.webp');
    expect(job).toMatchObject({ state: 'in_inbox', failure: null });
    expect(job.timeline.map(({ event }) => event)).not.toContain('photos_noted');
    const { rules } = world().pipeline.simulator.conformance();
    expect(rules.find(({ id }) => id === 'photo-format')?.verdict).toBe('met');
  });

  it.concurrent.each([
    ['INPUT_PHOTO_UNSUPPORTED', 'a.png'],
    ['INPUT_PHOTO_REDIRECTS', 'moved.jpg'],
    ['INPUT_MEDIA_NOT_FOUND', 'missing.jpg'],
  ])('fail with %s before TikTok hears of them: %s', async (code, name) => {
    const { job, inits } = await publish('a.jpg', name);
    expect(job).toMatchObject({ state: 'failed', attempts: 0, failure: { code } });
    expect(job.failure?.message).toMatch(/^media\.urls\.1: /);
    expect(inits).toEqual([]);
  });

  it.concurrent('F14: are posted beyond 1080p, with a remark', async () => {
    const { job } = await publish('large.jpg');
    expect(job.state).toBe('in_inbox');
    const remarks = ['media.urls.0: expected at most 1080 x 1920 pixels, got 4000 x 3000'];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'photos_noted', remarks }));
  });

  it.concurrent('are left to TikTok where their server answers errors, since TikTok may reach it', async () => {
    const { job, inits } = await publish('busy.jpg');
    // The simulated TikTok gets the same answer.
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_PULL_FAILED' } });
    expect(inits.length).toBeGreaterThan(0);
    const remarks = [expect.stringContaining('media.urls.0: could not be looked at: ')];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'photos_noted', remarks }));
  });
});

describe('with PREFLIGHT=warn, photos that TikTok would refuse', () => {
  const world = usePublishWorld(1_000, { preflight: 'warn', simulator: { ...simulator, fetchPulls: false } });
  it('are sent to TikTok, with a remark', async () => {
    const { account, ended } = await openCase(world().pipeline);
    const job = await ended(
      await world().pipeline.publisher.enqueue({ account, mode: 'inbox', media: media('a.png') }),
    );
    expect(job.state).toBe('in_inbox');
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'photos_noted' }));
  });
});

describe('photos on a disk', () => {
  it('F14: are looked at like those on the web', async () => {
    const { pipeline, account, ended, file } = await startPullSite({ preflight: 'refuse' });
    const publish = async (name: string, bytes: Buffer) => {
      const items = [{ type: 'file' as const, path: await file(name, bytes) }];
      return await ended(
        await pipeline.publisher.enqueue({ account, mode: 'inbox', media: { type: 'photos', items } }),
      );
    };
    const large = await publish('large.jpg', jpegOf(4_000, 3_000, 300_000));
    expect(large.state).toBe('in_inbox');
    const remarks = ['media.items.0: expected at most 1080 x 1920 pixels, got 4000 x 3000'];
    expect(large.timeline).toContainEqual(expect.objectContaining({ event: 'photos_noted', remarks }));
    const { failure } = await publish('a.png', PICTURES.png);
    expect(failure).toMatchObject({
      code: 'INPUT_PHOTO_UNSUPPORTED',
      message: expect.stringMatching(/^media\.items\.0: /),
    });
  });
});
