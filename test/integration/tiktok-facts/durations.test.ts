import { describe, expect, it } from 'vitest';
import { mediaFixture } from '../../support/media-fixtures.ts';
import { openCase } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const ELEVEN_MINUTES = mediaFixture('minutes-11.mp4');
const DIRECT = { mode: 'direct', post: { privacyLevel: 'SELF_ONLY' } } as const;

describe('F1: a video of eleven minutes', () => {
  const world = usePublishWorld(1_000, {
    preflight: 'refuse',
    simulator: { switches: { directDuration: 'creator' } },
  });

  it('is posted directly for a creator who may post an hour, the first time with a remark', async () => {
    const { pipeline } = world();
    const { account, enqueueFile, ended } = await openCase(pipeline, { maxVideoPostDurationSec: 3_600 });
    const media = { type: 'file', path: ELEVEN_MINUTES } as const;
    const preflight = () => pipeline.publisher.preflight({ account, media, ...DIRECT });
    const before = await preflight();
    expect([before.ok, before.findings]).toMatchObject([true, [{ code: 'INPUT_MEDIA_DURATION', severity: 'warn' }]]);
    const job = await ended(await enqueueFile(ELEVEN_MINUTES));
    expect(job.state).toBe('published');
    const remarks = ['expected at most 600 seconds, got 660 seconds'];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'media_examined', remarks }));
    // Now it is known that TikTok takes it.
    expect(await pipeline.service.facts.list()).toContainEqual(
      expect.objectContaining({ name: 'longestVideoSeconds', value: 660, account: null, jobId: job.id }),
    );
    expect((await preflight()).findings).toEqual([]);
  });

  it("is refused before any init beyond the creator's own limit", async () => {
    const { account, enqueueFile, ended, inits } = await openCase(world().pipeline, { maxVideoPostDurationSec: 300 });
    const job = await ended(await enqueueFile(ELEVEN_MINUTES));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_MEDIA_DURATION' } });
    expect(inits()).toEqual([]);
    const media = { type: 'file', path: ELEVEN_MINUTES } as const;
    const report = await world().pipeline.publisher.preflight({ account, media, ...DIRECT });
    expect(report.findings.map(({ code, severity }) => [code, severity])).toContainEqual([
      'TIKTOK_MEDIA_DURATION',
      'refuse',
    ]);
  });

  it('is refused as a draft, whatever its creator may post', async () => {
    const { enqueueFile, ended, inits } = await openCase(world().pipeline, { maxVideoPostDurationSec: 3_600 });
    const job = await ended(await enqueueFile(ELEVEN_MINUTES, 'inbox'));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_DURATION' } });
    expect(inits()).toEqual([]);
  });
});

describe('F1: a draft', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse' });

  it("is not held against the creator's limit for direct posts", async () => {
    const { enqueueFile, ended } = await openCase(world().pipeline, { maxVideoPostDurationSec: 3 });
    expect((await ended(await enqueueFile(mediaFixture('h264.mp4'), 'inbox'))).state).toBe('in_inbox');
  });
});

describe('F1: where TikTok takes no direct post above ten minutes', () => {
  const world = usePublishWorld(1_000, { preflight: 'refuse' });

  it('the job fails as TikTok says, after one init', async () => {
    const { enqueueFile, ended, inits } = await openCase(world().pipeline);
    const job = await ended(await enqueueFile(ELEVEN_MINUTES));
    expect(job).toMatchObject({
      state: 'failed',
      failure: { code: 'TIKTOK_MEDIA_DURATION', tiktokCode: 'duration_check_failed' },
    });
    expect(inits()).toHaveLength(1);
  });
});
