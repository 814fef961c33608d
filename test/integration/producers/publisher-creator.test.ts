import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublisherConfig } from '../../../src/app/publisher-config.ts';
import { RESERVATION_MARGIN_MS } from '../../../src/limits/reservations.ts';
import { createPublisher } from '../../../src/producers/index.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase } from '../../support/publish-case.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { rejection } from '../../support/rejection.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ workers: false });
});
afterAll(() => pipeline.close());

/** A publisher over the pipeline's Redis with settings of its own; closed by the callback's end. */
async function withPublisher<T>(
  settings: Partial<PublisherConfig>,
  use: (publisher: Pipeline['publisher']) => Promise<T>,
): Promise<T> {
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: testRedisUrl() },
    dataDir: '',
    cacheDir: '',
    queuePrefix: pipeline.prefix,
    ...settings,
  });
  try {
    return await use(publisher);
  } finally {
    await publisher.close();
  }
}

describe('publisher.creator', () => {
  it('tells what a posting page shows, asked afresh each time, by name and by open_id', async () => {
    const { account, openId, requests } = await openCase(pipeline, {
      username: 'acme_films',
      nickname: 'Acme Films',
      duetDisabled: true,
      maxVideoPostDurationSec: 600,
    });
    const expected = {
      username: 'acme_films',
      nickname: 'Acme Films',
      avatarUrl: expect.stringMatching(/^https:/),
      privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
      commentDisabled: false,
      duetDisabled: true,
      stitchDisabled: false,
      maxVideoDurationSeconds: 600,
      // F20: in TikTok's own words.
      brandedPrivacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS'],
      photos: { commentDisabled: false, duetDisabled: true, stitchDisabled: true },
      texts: expect.objectContaining({
        labels: { brandOrganic: 'Promotional content', brandContent: 'Paid partnership' },
        consent: {
          music: "By posting, you agree to TikTok's Music Usage Confirmation.",
          brandContent: "By posting, you agree to TikTok's Branded Content Policy and Music Usage Confirmation.",
        },
      }),
    };
    expect(await pipeline.publisher.creator(account)).toEqual(expected);
    expect(await pipeline.publisher.creator(openId)).toEqual(expected);
    expect(requests('creator_info')).toHaveLength(2);
    // Workers need not ask again for the post that follows.
    expect((await pipeline.deps.creators?.recall(account))?.creator).toMatchObject({ duetDisabled: true });
  });

  it('keeps within 20 calls a minute, and says how long to wait', async () => {
    const { account, openId, requests } = await openCase(pipeline);
    const asked = await Promise.allSettled(
      Array.from({ length: 25 }, (_, index) => pipeline.publisher.creator(index % 2 === 0 ? account : openId)),
    );
    const refusals = asked.filter((each) => each.status === 'rejected').map(({ reason }) => reason);
    expect(refusals).toHaveLength(5);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: 'TIKTOK_RATE_LIMITED' });
      expect(refusal.details.retryAfterMs).toBeGreaterThan(30_000);
      expect(refusal.details.retryAfterMs).toBeLessThanOrEqual(60_000 + RESERVATION_MARGIN_MS);
    }
    expect(requests('creator_info')).toHaveLength(20);
  });

  it('does not ask again before the time that TikTok itself named', async () => {
    const { account, fault, requests } = await openCase(pipeline);
    fault('creator_info', { kind: 'rate_limit', retryAfterSeconds: 90 });
    expect(await rejection(pipeline.publisher.creator(account))).toMatchObject({ code: 'TIKTOK_RATE_LIMITED' });
    const again = await rejection(pipeline.publisher.creator(account));
    expect(again).toMatchObject({ code: 'TIKTOK_RATE_LIMITED' });
    expect(again).toHaveProperty(
      'details.retryAfterMs',
      expect.toSatisfy((ms: number) => ms > 80_000),
    );
    expect(requests('creator_info')).toHaveLength(1);
  });

  it('renews a token that is over', async () => {
    const { account, openId } = await openCase(pipeline);
    pipeline.simulator.expireAccessToken(openId);
    expect(await pipeline.publisher.creator(account)).toMatchObject({ commentDisabled: false });
  });

  it.each([
    ['spam_risk_too_many_posts', 'TIKTOK_DAILY_POST_CAP'],
    ['spam_risk_user_banned_from_posting', 'TIKTOK_USER_BANNED'],
    ['reached_active_user_cap', 'TIKTOK_ACTIVE_USER_CAP'],
  ])('says when the creator cannot post now: %s', async (tiktokCode, code) => {
    const { account, fault } = await openCase(pipeline);
    fault('creator_info', { kind: 'status', httpStatus: 200, code: tiktokCode });
    expect(await rejection(pipeline.publisher.creator(account))).toMatchObject({ code, details: { tiktokCode } });
  });

  it('does not know an account that is not there', async () => {
    expect(await rejection(pipeline.publisher.creator('nobody'))).toMatchObject({ code: 'INPUT_ACCOUNT_UNKNOWN' });
  });

  it('names ENCRYPTION_KEYS when it has none, and still enqueues', async () => {
    const publisher = createPublisher({ redisUrl: testRedisUrl(), queuePrefix: pipeline.prefix });
    try {
      const error = await rejection(publisher.creator('acme'));
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { problems: [{ path: 'ENCRYPTION_KEYS' }] } });
      const job = await publisher.enqueue({
        account: 'acme',
        mode: 'inbox',
        media: { type: 'file', path: '/videos/a.mp4' },
      });
      expect(job.state).toBe('queued');
    } finally {
      await publisher.close();
    }
  });

  it('names the key when it has another one than the account was sealed with', async () => {
    const { simulator } = pipeline;
    const tiktok = { apiBaseUrl: simulator.url, clientKey: undefined, clientSecret: undefined };
    await withPublisher({ encryptionKeys: [randomBytes(32)], tiktok }, async (publisher) => {
      expect(await rejection(publisher.creator('acme'))).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    });
  });
});
