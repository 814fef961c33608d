import { describe, expect, it } from 'vitest';
import type { DirectPostSettings } from '../../../src/core/new-request.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { openCase, PULL_URL } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const ENDED = { timeoutMs: 90_000 };
const PRIVATE_CREATOR = {
  privacyLevelOptions: ['FOLLOWER_OF_CREATOR', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
  duetDisabled: true,
  stitchDisabled: true,
};

const world = usePublishWorld(100_000, { preflight: 'refuse' });

/** Enqueues a local file as a direct post with these settings. */
const enqueuePost = (pipeline: Pipeline, account: string, post: DirectPostSettings, path: string) =>
  pipeline.publisher.enqueue({ account, mode: 'direct', media: { type: 'file', path }, post });

const refusal = (httpStatus: number, code: string): FaultAct => ({ kind: 'status', httpStatus, code });

describe('a direct post that its creator may not make', () => {
  it.concurrent('fails before any init and costs none of their quota', async () => {
    const { pipeline, video } = world();
    const { account, ended, inits, requests } = await openCase(pipeline, PRIVATE_CREATOR);
    const enqueued = [
      await enqueuePost(pipeline, account, { privacyLevel: 'PUBLIC_TO_EVERYONE' }, video),
      await pipeline.publisher.enqueue({
        account,
        mode: 'direct',
        media: { type: 'pull', url: PULL_URL },
        post: { privacyLevel: 'PUBLIC_TO_EVERYONE' },
      }),
    ];
    for (const each of enqueued) {
      const job = await ended(each);
      expect(job).toMatchObject({ state: 'failed', publishId: null, attempts: 0 });
      expect(job.failure).toMatchObject({ code: 'TIKTOK_PRIVACY_MISMATCH', retryable: false });
      expect(job.failure?.message).toContain('FOLLOWER_OF_CREATOR or MUTUAL_FOLLOW_FRIENDS or SELF_ONLY');
    }
    expect(inits()).toEqual([]);
    expect(await pipeline.redis.exists(pipeline.keys.reservations(account, 'direct_init'))).toBe(0);
    // The second refusal rests on what the first one had asked a moment ago.
    expect(requests('creator_info')).toHaveLength(1);
  });

  it.concurrent('is posted once the creator has changed the setting, however well the old one is remembered', async () => {
    const { pipeline, video } = world();
    const { account, ended, requests, posts } = await openCase(pipeline);
    const limits = { commentDisabled: false, duetDisabled: true, stitchDisabled: true };
    const remembered = { ...limits, privacyLevelOptions: ['SELF_ONLY'], maxVideoDurationSeconds: 300 };
    const askedAt = Date.now() - 60_000;
    await pipeline.redis.set(pipeline.keys.creator(account), JSON.stringify({ askedAt, limits: remembered }));
    const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'PUBLIC_TO_EVERYONE' }, video));
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(requests('creator_info')).toHaveLength(1);
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('is posted all the same if only duets or the like are switched off; the timeline says so', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline, PRIVATE_CREATOR);
    const post = { privacyLevel: 'SELF_ONLY', disableDuet: false } as const;
    const job = await ended(await enqueuePost(pipeline, account, post, video));
    expect(job.state).toBe('published');
    expect(job.timeline).toContainEqual(
      expect.objectContaining({
        event: 'creator_noted',
        remarks: ['the request allows duets, but this creator has disabled them'],
      }),
    );
  });
});

describe('what TikTok says of a creator', () => {
  it.concurrent('is asked once for many posts', async () => {
    const { pipeline, video } = world();
    const { account, ended, inits, requests } = await openCase(pipeline);
    const enqueued = await pipeline.publisher.enqueueBulk(
      Array.from({ length: 5 }, () => ({
        account,
        mode: 'direct' as const,
        media: { type: 'file' as const, path: video },
        post: { privacyLevel: 'SELF_ONLY' as const },
      })),
    );
    for (const each of enqueued) expect((await ended(each)).state).toBe('published');
    expect(inits()).toHaveLength(5);
    expect(requests('creator_info')).toHaveLength(1);
  });

  it.concurrent('is remembered for minutes, without what only a page shows', async () => {
    const { pipeline, video } = world();
    const { account, ended } = await openCase(pipeline, { nickname: 'Somebody Special' });
    await ended(await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video));
    const key = pipeline.keys.creator(account);
    expect(await pipeline.redis.pttl(key)).toBeLessThanOrEqual(300_000);
    expect(await pipeline.redis.pttl(key)).toBeGreaterThan(240_000);
    expect(JSON.parse((await pipeline.redis.get(key)) ?? '')).toEqual({
      askedAt: expect.any(Number),
      limits: {
        username: expect.any(String),
        privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
        commentDisabled: false,
        duetDisabled: false,
        stitchDisabled: false,
        maxVideoDurationSeconds: expect.any(Number),
      },
    });
  });

  it.concurrent('does not concern drafts for the inbox', async () => {
    const { pipeline, video } = world();
    const { enqueueFile, ended, requests } = await openCase(pipeline, PRIVATE_CREATOR);
    expect((await ended(await enqueueFile(video, 'inbox'))).state).toBe('in_inbox');
    expect(requests('creator_info')).toEqual([]);
  });

  it.concurrent.each<[title: string, act: FaultAct]>([
    ['500', refusal(500, 'internal_error')],
    ['a page of a gateway', { kind: 'raw', httpStatus: 200, body: '<html></html>' }],
    ['a code that nobody knows', refusal(400, 'moon_is_full')],
    ['invalid_params', refusal(400, 'invalid_params')],
  ])('holds no post back when the answer is %s', async (_title, act) => {
    const { pipeline, video } = world();
    const { account, fault, ended, requests } = await openCase(pipeline);
    fault('creator_info', act, { times: 'always' });
    for (const _turn of [1, 2]) {
      const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video));
      expect(job).toMatchObject({ state: 'published', attempts: 0 });
    }
    // Nor does every post wait for the same silence.
    expect(requests('creator_info')).toHaveLength(1);
  });

  it.concurrent('holds no post back when the connection breaks again and again', async () => {
    const { pipeline, video } = world();
    const { account, fault, ended, requests } = await openCase(pipeline);
    fault('creator_info', { kind: 'drop_before' }, { times: 'always' });
    const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video));
    expect(job.state).toBe('published');
    expect(requests('creator_info').length).toBeGreaterThan(1);
  });
});

describe('a creator who cannot post now', () => {
  it.concurrent.each([
    ['spam_risk_too_many_posts', 'TIKTOK_DAILY_POST_CAP', 'daily_cap'],
    ['reached_active_user_cap', 'TIKTOK_ACTIVE_USER_CAP', 'active_user_cap'],
  ])('%s with HTTP 200 makes the post wait as on an init: %s', async (tiktokCode, code, waitingFor) => {
    // The app's cap holds all new accounts back, so this has a world of its own.
    const pipeline = await startPipeline({ preflight: 'refuse' });
    try {
      const { account, fault, noted, inits } = await openCase(pipeline);
      fault('creator_info', refusal(200, tiktokCode), { times: 'always' });
      const enqueued = await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, world().video);
      const job = await noted(enqueued, 'deferred', code);
      expect(job).toMatchObject({ state: 'queued', waitingFor, attempts: 0 });
      expect(inits()).toEqual([]);
    } finally {
      await pipeline.close();
    }
  });

  it.concurrent('a banned one fails the post and stops the account', async () => {
    const { pipeline, video } = world();
    const { account, ended, inits } = await openCase(pipeline, { banned: true });
    const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_USER_BANNED' } });
    expect(inits()).toEqual([]);
    const stopped = { status: 'paused', pauseCode: 'TIKTOK_USER_BANNED' };
    await eventually(async () => expect(await pipeline.vault.get(account)).toMatchObject(stopped));
  });
});

describe('the quota of creator_info', () => {
  it.concurrent('makes a post wait for its turn, and not spend a turn of the inits', async () => {
    const { pipeline, video } = world();
    const { account, noted, inits, requests } = await openCase(pipeline);
    const quota = { account, endpoint: 'creator_info', limit: 20, windowMs: 60_000 } as const;
    await pipeline.deps.reservations.push({ ...quota, notBeforeAt: Date.now() + 60_000 });
    const enqueued = await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video);
    expect(await noted(enqueued, 'deferred')).toMatchObject({ state: 'queued', waitingFor: 'rate_limit' });
    expect([...requests('creator_info'), ...inits()]).toEqual([]);
    expect(await pipeline.redis.exists(pipeline.keys.reservations(account, 'direct_init'))).toBe(0);
  });

  it.concurrent('is not asked for by a post that has its place among the inits', async () => {
    const { pipeline, video } = world();
    const { account, noted, requests } = await openCase(pipeline);
    const inits = { account, endpoint: 'direct_init', limit: 6, windowMs: 60_000 } as const;
    await pipeline.deps.reservations.push({ ...inits, notBeforeAt: Date.now() + 1_500 });
    const enqueued = await enqueuePost(pipeline, account, { privacyLevel: 'SELF_ONLY' }, video);
    await noted(enqueued, 'deferred');
    expect(requests('creator_info')).toHaveLength(1);
    await pipeline.redis.del(pipeline.keys.creator(account));
    expect((await pipeline.publisher.waitForCompletion(enqueued.id, ENDED)).state).toBe('published');
    expect(requests('creator_info')).toHaveLength(1);
  });
});

describe('PREFLIGHT=warn', () => {
  const warned = usePublishWorld(100_000, { preflight: 'warn' });

  it('notes what is wrong and lets TikTok decide', async () => {
    const { pipeline, video } = warned();
    const { account, ended, inits } = await openCase(pipeline, PRIVATE_CREATOR);
    const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'PUBLIC_TO_EVERYONE' }, video));
    expect(job.timeline).toContainEqual(
      expect.objectContaining({ event: 'creator_noted', remarks: [expect.stringContaining('PUBLIC_TO_EVERYONE')] }),
    );
    expect(job.failure).toMatchObject({ tiktokCode: 'privacy_level_option_mismatch' });
    expect(inits()).toHaveLength(1);
  });
});

describe('an app that TikTok has not audited', () => {
  const unaudited = usePublishWorld(100_000, { preflight: 'refuse', simulator: { unaudited: true } });

  it('F2: is named for what it is by the refusal of an init, not by the levels that TikTok offers', async () => {
    const { pipeline, video } = unaudited();
    const { account, ended, inits } = await openCase(pipeline);
    const job = await ended(await enqueuePost(pipeline, account, { privacyLevel: 'PUBLIC_TO_EVERYONE' }, video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'TIKTOK_UNAUDITED_CLIENT', retryable: true } });
    expect(job.failure?.message).toContain('has not audited');
    expect(inits()).toMatchObject([{ code: 'unaudited_client_can_only_post_to_private_accounts' }]);
  });
});
