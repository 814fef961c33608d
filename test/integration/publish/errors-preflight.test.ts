import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { ProbeMedia } from '../../../src/core/ports.ts';
import { MEDIA_FIXTURES, mediaFixture } from '../../support/media-fixtures.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { openCase, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const world = usePublishWorld(100_000, { preflight: 'refuse' });

/** What is refused for what its bytes say, by the code that the test of each names. */
const REFUSED: readonly [code: ErrorCode, names: readonly string[]][] = [
  ['INPUT_MEDIA_FRAME_RATE', ['fps-12.mp4', 'fps-120.mp4', 'fps-12.webm', 'fps-12-fragmented.mp4']],
  ['INPUT_MEDIA_PICTURE_SIZE', ['side-200.mp4', 'side-5000.mp4']],
  ['INPUT_MEDIA_NO_VIDEO', ['audio-only.mp4']],
  ['INPUT_MEDIA_CODEC', ['mpeg2.mp4', 'av1.mp4']],
  ['INPUT_MEDIA_INCOMPLETE', ['truncated.mp4', 'truncated-end.mp4', 'truncated.webm', 'no-moov.mp4']],
];

describe('a video that TikTok would refuse', () => {
  const cases = REFUSED.flatMap(([code, names]) => names.map((name) => ({ code, name })));

  it.concurrent.each(cases)('$name fails with $code before TikTok hears of it', async ({ code, name }) => {
    const { pipeline } = world();
    const { enqueueFile, ended, inits, requests } = await openCase(pipeline);
    const job = await ended(await enqueueFile(mediaFixture(name)));
    const { advice, retryable } = ERROR_TABLE[code];
    expect(job).toMatchObject({ state: 'failed', attempts: 0, failure: { code, advice, retryable } });
    expect(job.failure?.message).toMatch(/^expected .+, got .+/);
    expect([...inits(), ...requests('creator_info'), ...requests('upload')]).toEqual([]);
  });

  it.concurrent.each([
    ['INPUT_MEDIA_FRAME_RATE', 'fps-12.mp4'],
    ['INPUT_MEDIA_DURATION', 'minutes-11.mp4'],
  ])('is refused with %s as a draft for the inbox: %s', async (code, name) => {
    const { enqueueFile, ended, inits } = await openCase(world().pipeline);
    const job = await ended(await enqueueFile(mediaFixture(name), 'inbox'));
    expect(job).toMatchObject({ state: 'failed', failure: { code } });
    expect(inits()).toEqual([]);
  });

  it.concurrent('is longer than its creator may post', async () => {
    const { enqueueFile, ended, inits, requests } = await openCase(world().pipeline, { maxVideoPostDurationSec: 3 });
    const job = await ended(await enqueueFile(mediaFixture('h264.mp4')));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_MEDIA_DURATION' } });
    expect(job.failure?.message).toContain('at most 3 seconds');
    expect([requests('creator_info').length, inits().length]).toEqual([1, 0]);
  });
});

describe('a video that TikTok takes', () => {
  const good = MEDIA_FIXTURES.filter(({ refused, warned }) => refused.length + warned.length === 0);

  it.concurrent.each(good)('$name is published, and its timeline says what it is', async ({ path, name }) => {
    const { enqueueFile, ended } = await openCase(world().pipeline);
    const job = await ended(await enqueueFile(path));
    expect(job).toMatchObject({ state: 'published', failure: null });
    const entry = job.timeline.find(({ event }) => event === 'media_examined');
    expect(entry).toMatchObject({ container: name.split('.').at(-1), durationSeconds: expect.closeTo(4, 1) });
    expect(entry).not.toHaveProperty('remarks');
  });

  it.concurrent('though it may not is remarked upon', async () => {
    const { enqueueFile, ended } = await openCase(world().pipeline);
    const job = await ended(await enqueueFile(mediaFixture('second-1.mp4')));
    expect(job.state).toBe('published');
    const remarks = ['expected at least 3 seconds, got 1 second'];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'media_examined', remarks }));
  });

  it.concurrent('though nobody here can read it is remarked upon', async () => {
    const { pipeline, video } = world();
    const { enqueueFile, ended } = await openCase(pipeline);
    // It begins like an MP4 and goes on with random bytes, which may look like the name of a box.
    const job = await ended(await enqueueFile(video));
    expect(job.state).toBe('published');
    const remarks = [expect.stringContaining('box')];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'media_examined', remarks }));
  });
});

describe('PREFLIGHT=warn', () => {
  const warned = usePublishWorld(100_000, { preflight: 'warn' });

  it('notes what is wrong with a video and lets TikTok decide', async () => {
    const { enqueueFile, ended, inits } = await openCase(warned().pipeline);
    const job = await ended(await enqueueFile(mediaFixture('fps-12.mp4')));
    expect(job.state).toBe('published');
    expect(inits()).toHaveLength(1);
    const remarks = ['expected 23 to 60 frames per second, got 12'];
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'media_examined', remarks }));
  });
});

describe('the look into a video', () => {
  let probed: string[] = [];
  let own: Awaited<ReturnType<typeof startPipeline>>;

  beforeAll(async () => {
    own = await startPipeline({ workers: false, preflight: 'refuse', simulator: { processingMs: 20 } });
    const { probeMedia } = own.deps;
    const counted: ProbeMedia = async (source, options) => {
      probed.push(source.pin.version);
      return await probeMedia(source, options);
    };
    await own.startWorkersWith({ probeMedia: counted });
  });

  afterAll(async () => {
    await own.close();
  });

  it('is taken once, however often the job is tried', async () => {
    probed = [];
    const { enqueueFile, ended, fault } = await openCase(own);
    fault('video_init', { kind: 'status', httpStatus: 500, code: 'internal_error' }, { times: 2 });
    const job = await ended(await enqueueFile(mediaFixture('h264.mp4')));
    expect(job.state).toBe('published');
    expect(retriedCodes(job).length).toBeGreaterThan(0);
    expect(probed).toHaveLength(1);
  });

  it('is taken again when there is another video', async () => {
    probed = [];
    const { enqueueFile, ended } = await openCase(own);
    const path = join(own.folder, 'encoded-again.mp4');
    await copyFile(mediaFixture('fps-12.mp4'), path);
    const refused = await ended(await enqueueFile(path));
    expect(refused).toMatchObject({ state: 'failed', failure: { code: 'INPUT_MEDIA_FRAME_RATE', retryable: true } });
    await copyFile(mediaFixture('h264.mp4'), path);
    await own.publisher.retry(refused.id);
    expect(await ended(refused)).toMatchObject({ state: 'published' });
    expect(new Set(probed).size).toBe(2);
  });
});
