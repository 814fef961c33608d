import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublisherConfig } from '../../../src/app/publisher-config.ts';
import { startHostileMediaServer } from '../../support/hostile-media-server.ts';
import { mediaFixture } from '../../support/media-fixtures.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { testRedisUrl } from '../../support/redis.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ workers: false });
});
afterAll(() => pipeline.close());

/** A publisher without keys over the pipeline's Redis. */
const publisherWith = (settings: Partial<PublisherConfig>) =>
  createPublisherFromConfig({
    redis: { kind: 'url', url: testRedisUrl() },
    dataDir: '',
    cacheDir: '',
    queuePrefix: pipeline.prefix,
    ...settings,
  });

const direct = (account: string, name: string) =>
  ({
    account,
    mode: 'direct',
    media: { type: 'file', path: mediaFixture(name) },
    post: { privacyLevel: 'SELF_ONLY' },
  }) as const;

const CHECKED = { checked: true };

describe('publisher.preflight', () => {
  it('checks a request in every part and enqueues nothing', async () => {
    const { account, requests, inits } = await openCase(pipeline);
    const { facts, ...report } = await pipeline.publisher.preflight(direct(account, 'h264.mp4'));
    const checked = {
      ...{ request: CHECKED, media: CHECKED, duplicates: { checked: false, reason: 'duplicates are allowed' } },
      ...{ account: CHECKED, creator: CHECKED, quota: CHECKED },
    };
    expect(report).toEqual({ ok: true, findings: [], checked });
    expect(facts).toMatchObject({ container: 'mp4', video: { codec: 'h264', frameRate: 30 } });
    expect([requests('creator_info').length, inits().length]).toEqual([1, 0]);
    expect((await pipeline.publisher.list({ account })).jobs).toEqual([]);
  });

  it('finds what is wrong with video, settings and limits at once', async () => {
    const { account } = await openCase(pipeline, { privacyLevelOptions: ['FOLLOWER_OF_CREATOR', 'SELF_ONLY'] });
    const times = Array.from({ length: 15 }, (_, i) => Date.now() - i * 60_000);
    const posts = times.flatMap((at) => [at, String(at)]);
    await pipeline.redis.zadd(pipeline.keys.directPosts(account), ...posts);
    const inits = { account, endpoint: 'direct_init', limit: 6, windowMs: 60_000 } as const;
    for (let i = 0; i < 6; i++) await pipeline.deps.reservations.reserve(inits);
    const request = { ...direct(account, 'fps-12.mp4'), post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } } as const;
    const { ok, findings } = await pipeline.publisher.preflight(request);
    expect(ok).toBe(false);
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'refuse INPUT_MEDIA_FRAME_RATE',
      'refuse TIKTOK_PRIVACY_MISMATCH',
      'warn TIKTOK_RATE_LIMITED',
      'warn TIKTOK_DAILY_POST_CAP',
    ]);
    expect(findings.at(-1)?.found).toMatch(/^15; the job looks again at \d{4}-/);
  });

  it('finds the job that has the same video, and claims nothing', async () => {
    const { account } = await openCase(pipeline);
    const request = { ...direct(account, 'h264.mp4'), onDuplicate: 'refuse' } as const;
    expect(await pipeline.publisher.preflight(request)).toMatchObject({ ok: true, checked: { duplicates: CHECKED } });
    expect(await pipeline.redis.keys(`${pipeline.keys.claimedVideo(account, '')}*`)).toEqual([]);
    const workers = await pipeline.startWorkers();
    const { id } = await pipeline.publisher.enqueue(request);
    await pipeline.publisher.waitForCompletion(id, { timeoutMs: 90_000 });
    await workers.close({ timeoutMs: 5_000 });
    const { ok, findings } = await pipeline.publisher.preflight(request);
    expect(ok).toBe(false);
    const found = `publish job ${id} of this account has the same media and is published`;
    expect(findings).toMatchObject([{ code: 'INPUT_DUPLICATE_VIDEO', severity: 'refuse', found }]);
  });

  it('takes no place among the inits', async () => {
    const { account } = await openCase(pipeline);
    for (let i = 0; i < 8; i++) await pipeline.publisher.preflight(direct(account, 'h264.mp4'));
    expect(await pipeline.redis.exists(pipeline.keys.reservations(account, 'direct_init'))).toBe(0);
  });

  it('knows accounts by their open_id, and those that are paused', async () => {
    const { account, openId } = await openCase(pipeline);
    await pipeline.vault.pause(account);
    const { ok, findings } = await pipeline.publisher.preflight(direct(openId, 'h264.mp4'));
    expect(ok).toBe(true);
    expect(findings).toMatchObject([{ code: 'AUTH_ACCOUNT_PAUSED', severity: 'warn' }]);
  });

  it('looks into a video on the web by ranges, and names what is wrong on the way', async () => {
    const server = await startHostileMediaServer(readFileSync(mediaFixture('fps-12.mp4')));
    const { account } = await openCase(pipeline);
    const publisher = publisherWith({ outboundAllowHosts: server.allowHosts });
    const preflight = (url: string) => publisher.preflight({ account, mode: 'inbox', media: { type: 'url', url } });
    try {
      const { findings, facts } = await preflight(server.url('honest'));
      expect(facts).toMatchObject({ durationSeconds: 4, video: { frameRate: 12 } });
      expect(findings).toMatchObject([{ code: 'INPUT_MEDIA_FRAME_RATE' }]);
      const elsewhere = await preflight('http://127.0.0.1:1/a.mp4');
      expect(elsewhere.findings).toMatchObject([{ code: 'OUTBOUND_URL_REFUSED', severity: 'refuse' }]);
    } finally {
      await publisher.close();
      await server.close();
    }
  });

  it('refuses a callback that enqueueing refuses', async () => {
    const { account } = await openCase(pipeline);
    const publisher = publisherWith({});
    try {
      const request = { ...direct(account, 'h264.mp4'), callbackUrl: 'http://10.0.0.1/hook' };
      await expect(publisher.enqueue(request)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      const { ok, findings } = await publisher.preflight(request);
      expect(ok).toBe(false);
      expect(findings).toMatchObject([{ code: 'INPUT_INVALID', severity: 'refuse', field: 'callbackUrl' }]);
    } finally {
      await publisher.close();
    }
  });

  it('says what it could not check without keys', async () => {
    const { account, openId } = await openCase(pipeline);
    const publisher = publisherWith({});
    try {
      const { ok, checked } = await publisher.preflight(direct(account, 'h264.mp4'));
      expect(ok).toBe(true);
      const skipped = { checked: false, reason: expect.stringContaining('ENCRYPTION_KEYS') };
      expect(checked).toMatchObject({ media: CHECKED, account: skipped, creator: skipped, quota: CHECKED });
      await pipeline.vault.pause(account);
      const { findings } = await publisher.preflight(direct(openId, 'h264.mp4'));
      expect(findings.map(({ code }) => code)).toContain('AUTH_ACCOUNT_PAUSED');
    } finally {
      await publisher.close();
    }
  });
});
