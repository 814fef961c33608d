import { describe, expect, it } from 'vitest';
import { call, directPost, errorCode, put, wholeFile } from './api-calls.ts';
import { initDraft, startWithClock } from './simulators.ts';

const DAY_MS = 86_400_000;
const draft = { source_info: wholeFile(9) };

describe('calls per minute', () => {
  it.each([
    ['creator_info', 20, {}],
    ['video_init', 6, directPost()],
    ['inbox_init', 6, draft],
    ['status', 30, { publish_id: 'v_pub_file~v2-1.1' }],
  ] as const)('%s allows %i in a sliding minute', async (endpoint, limit, body) => {
    const { clock, simulator, account } = await startWithClock({ limits: { pendingSharesPerDay: 100 } });
    const callNow = async () => (await call(simulator, account, endpoint, body)).status === 429;
    for (let index = 0; index < limit; index++) {
      expect(await callNow()).toBe(false);
      clock.advance(1_000);
    }
    const refused = await call(simulator, account, endpoint, body);
    expect(refused.status).toBe(429);
    expect(errorCode(refused)).toBe('rate_limit_exceeded');
    expect(refused.headers['retry-after']).toBeUndefined();
    // The first call leaves the window 60 s after it was made, the second one a second later.
    clock.advance(60_000 - limit * 1_000 - 1);
    expect(await callNow()).toBe(true);
    clock.advance(1);
    expect(await callNow()).toBe(false);
    expect(await callNow()).toBe(true);
  });

  it('keeps the quota of each user and each endpoint apart', async () => {
    const { simulator, account } = await startWithClock({ limits: { initPerMinute: 1 } });
    const other = simulator.addAccount();
    const statuses = [
      (await call(simulator, account, 'video_init', directPost())).status,
      (await call(simulator, account, 'video_init', directPost())).status,
      (await call(simulator, account, 'inbox_init', draft)).status,
      (await call(simulator, other, 'video_init', directPost())).status,
    ];
    expect(statuses).toEqual([200, 429, 200, 200]);
  });

  it('says when to come back when so switched', async () => {
    const { clock, simulator, account } = await startWithClock({
      limits: { initPerMinute: 1 },
      switches: { retryAfter: true },
    });
    await call(simulator, account, 'video_init', directPost());
    clock.advance(15_500);
    const refused = await call(simulator, account, 'video_init', directPost());
    expect(refused.headers['retry-after']).toBe('45');
  });

  it('prolongs the wait of those who keep calling when so switched', async () => {
    const { clock, simulator, account } = await startWithClock({
      limits: { initPerMinute: 1 },
      switches: { throttledCallsUseQuota: true },
    });
    await call(simulator, account, 'video_init', directPost());
    clock.advance(30_000);
    await call(simulator, account, 'video_init', directPost());
    clock.advance(30_001);
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(429);
  });

  it('does not limit cancel, for which no limit is documented', async () => {
    const { simulator, account } = await startWithClock();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => call(simulator, account, 'cancel', { publish_id: 'v_pub_url~v2.1' })),
    );
    expect(new Set(replies.map(errorCode))).toEqual(new Set(['invalid_publish_id']));
  });
});

describe('posts per day', () => {
  it('refuses the 16th direct post in 24 hours, at init with 403 and at creator_info with 200', async () => {
    const { clock, simulator, account } = await startWithClock();
    for (let index = 0; index < 15; index++) {
      expect((await call(simulator, account, 'video_init', directPost())).status).toBe(200);
      clock.advance(10_000);
    }
    const init = await call(simulator, account, 'video_init', directPost());
    const info = await call(simulator, account, 'creator_info', {});
    expect([init.status, errorCode(init)]).toEqual([403, 'spam_risk_too_many_posts']);
    expect([info.status, errorCode(info)]).toEqual([200, 'spam_risk_too_many_posts']);
    clock.advance(DAY_MS - 150_000);
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(200);
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(403);
  });

  it('lets a failed post free its place when so switched', async () => {
    const { simulator, account } = await startWithClock({
      limits: { postsPerDay: 1 },
      switches: { failedPublishesCount: false },
    });
    await call(simulator, account, 'video_init', directPost());
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(403);
    const [publish] = simulator.journal.publishes();
    simulator.settle(publish?.publishId ?? '', 'internal');
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(200);
  });
});

describe('pending drafts', () => {
  it('refuses the sixth and frees a place when the person posts one', async () => {
    const { clock, simulator, account } = await startWithClock();
    const bytes = Buffer.from('draft');
    const first = await initDraft(simulator, account, bytes.length);
    await put(first.uploadUrl, bytes, 0, bytes.length);
    for (let index = 0; index < 4; index++) await initDraft(simulator, account, 9);
    clock.advance(60_000);
    const refused = await call(simulator, account, 'inbox_init', draft);
    expect(refused.status).toBe(403);
    expect(refused.json).toMatchObject({
      error: { code: 'spam_risk_too_many_pending_share', message: 'spam_risk_too_many_pending_share' },
    });
    simulator.postDraft(first.publishId);
    expect((await call(simulator, account, 'inbox_init', draft)).status).toBe(200);
    expect((await call(simulator, account, 'inbox_init', draft)).status).toBe(403);
    clock.advance(DAY_MS);
    expect((await call(simulator, account, 'inbox_init', draft)).status).toBe(200);
  });
});

describe('active creators', () => {
  it('refuses a further creator and lets those inside the window go on', async () => {
    const { clock, simulator, account } = await startWithClock({ limits: { activeUsersPerDay: 1 } });
    const other = simulator.addAccount();
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(200);
    const refused = await call(simulator, other, 'video_init', directPost());
    expect([refused.status, errorCode(refused)]).toEqual([403, 'reached_active_user_cap']);
    expect(errorCode(await call(simulator, other, 'creator_info', {}))).toBe('reached_active_user_cap');
    expect((await call(simulator, account, 'video_init', directPost())).status).toBe(200);
    expect((await call(simulator, other, 'inbox_init', draft)).status).toBe(200);
    clock.advance(DAY_MS);
    expect((await call(simulator, other, 'video_init', directPost())).status).toBe(200);
  });
});

describe('an unaudited app', () => {
  it('posts only for private accounts, only SELF_ONLY, and for five users a day', async () => {
    const { simulator, account } = await startWithClock({ unaudited: true });
    const refused = await call(simulator, account, 'video_init', directPost());
    expect([refused.status, errorCode(refused)]).toEqual([403, 'unaudited_client_can_only_post_to_private_accounts']);

    const privates = Array.from({ length: 6 }, () => simulator.addAccount({ private: true }));
    const codes: string[] = [];
    for (const creator of privates) {
      const mismatch = await call(
        simulator,
        creator,
        'video_init',
        directPost(9, { privacy_level: 'MUTUAL_FOLLOW_FRIENDS' }),
      );
      expect(errorCode(mismatch)).toBe('unaudited_client_can_only_post_to_private_accounts');
      codes.push(errorCode(await call(simulator, creator, 'video_init', directPost())));
    }
    expect(codes).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'reached_active_user_cap']);
  });
});
