import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { AccountTokens, Simulator } from '../../src/simulator/index.ts';
import { mediaFixture } from '../support/media-fixtures.ts';
import { call, callOauth, dataText, directPost, errorCode, put, wholeFile } from './api-calls.ts';
import { initDraft, initFile, start, startWithClock } from './simulators.ts';

const DAY_MS = 86_400_000;
const ELEVEN_MINUTES = mediaFixture('minutes-11.mp4');

/** What becomes of a whole video once TikTok has processed it. */
async function outcomeOf(
  simulator: Simulator,
  account: AccountTokens,
  video: Buffer,
  endpoint: 'video_init' | 'inbox_init',
): Promise<string> {
  const init = endpoint === 'video_init' ? initFile : initDraft;
  const { publishId, uploadUrl } = await init(simulator, account, video.length);
  expect((await put(uploadUrl, video, 0, video.length)).status).toBe(201);
  simulator.settle(publishId);
  const status = await call(simulator, account, 'status', { publish_id: publishId });
  return dataText(status, 'fail_reason') || dataText(status, 'status');
}

describe('F1: the length of a video', () => {
  it.each([
    ['ten-minutes', 3_600, 'duration_check_failed'],
    ['creator', 3_600, 'PUBLISH_COMPLETE'],
    ['creator', 659, 'duration_check_failed'],
  ] as const)(
    'of 660 s, posted directly under %s by a creator with %i s: %s',
    async (directDuration, seconds, expected) => {
      const simulator = await start({ switches: { directDuration } });
      const account = simulator.addAccount({ maxVideoPostDurationSec: seconds });
      expect(await outcomeOf(simulator, account, await readFile(ELEVEN_MINUTES), 'video_init')).toBe(expected);
    },
  );

  it('fails a draft beyond ten minutes, whatever its creator may post, and none below', async () => {
    const simulator = await start({ switches: { directDuration: 'creator' } });
    const account = simulator.addAccount({ maxVideoPostDurationSec: 3 });
    expect(await outcomeOf(simulator, account, await readFile(ELEVEN_MINUTES), 'inbox_init')).toBe(
      'duration_check_failed',
    );
    const short = await readFile(mediaFixture('h264.mp4'));
    expect(await outcomeOf(simulator, account, short, 'inbox_init')).toBe('SEND_TO_USER_INBOX');
    expect(await outcomeOf(simulator, account, short, 'video_init')).toBe('duration_check_failed');
  });

  it('is an hour for ordinary creators', async () => {
    const simulator = await start();
    const { json } = await call(simulator, simulator.addAccount(), 'creator_info', {});
    expect(json.data).toMatchObject({ max_video_post_duration_sec: 3_600 });
  });
});

describe('F2: an app that TikTok has not audited', () => {
  it.each([
    ['account', ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY']],
    ['self-only', ['SELF_ONLY']],
  ] as const)(
    'is offered levels by "%s", and refused a public post at init',
    async (unauditedPrivacyLevels, offered) => {
      const simulator = await start({ unaudited: true, switches: { unauditedPrivacyLevels } });
      const account = simulator.addAccount();
      const { json } = await call(simulator, account, 'creator_info', {});
      expect(json.data).toMatchObject({ privacy_level_options: offered });
      const refused = await call(
        simulator,
        account,
        'video_init',
        directPost(9, { privacy_level: 'PUBLIC_TO_EVERYONE' }),
      );
      expect([refused.status, errorCode(refused)]).toEqual([403, 'unaudited_client_can_only_post_to_private_accounts']);
    },
  );
});

describe('F4: the limits per day', () => {
  it('count the posts that a creator made by other apps', async () => {
    const simulator = await start();
    const account = simulator.addAccount({ postsElsewhere: 14 });
    expect(errorCode(await call(simulator, account, 'video_init', directPost()))).toBe('ok');
    expect(errorCode(await call(simulator, account, 'video_init', directPost()))).toBe('spam_risk_too_many_posts');
  });

  it('hold an audited app to its number of creators too', async () => {
    const simulator = await start({ limits: { activeUsersPerDay: 1 } });
    const codes = [];
    for (const account of [simulator.addAccount(), simulator.addAccount()]) {
      codes.push(errorCode(await call(simulator, account, 'video_init', directPost())));
    }
    expect(codes).toEqual(['ok', 'reached_active_user_cap']);
  });
});

describe('F9: the cover of a post', () => {
  it.each([
    ['public-only', 'PUBLIC_TO_EVERYONE', 2_000],
    ['public-only', 'SELF_ONLY', 0],
    ['all', 'SELF_ONLY', 2_000],
  ] as const)('under %s, for %s, is at %i ms', async (coverFrame, privacyLevel, coverMs) => {
    const simulator = await start({ switches: { coverFrame } });
    const cover = { privacy_level: privacyLevel, video_cover_timestamp_ms: 2_000 };
    await call(simulator, simulator.addAccount(), 'video_init', directPost(9, cover));
    expect(simulator.journal.publishes()).toMatchObject([{ coverMs }]);
  });
});

describe('F12: the inbox of a creator', () => {
  /** Fills it, and posts the first draft. */
  async function fill(options: Parameters<typeof start>[0]) {
    const { clock, simulator, account } = await startWithClock(options);
    const publishIds: string[] = [];
    for (let index = 0; index < 5; index++) {
      const { publishId, uploadUrl } = await initDraft(simulator, account, 9);
      await put(uploadUrl, Buffer.alloc(9), 0, 9);
      simulator.settle(publishId);
      publishIds.push(publishId);
    }
    const nextDraft = async () =>
      errorCode(await call(simulator, account, 'inbox_init', { source_info: wholeFile(9) }));
    expect(await nextDraft()).toBe('spam_risk_too_many_pending_share');
    simulator.postDraft(publishIds[0] ?? '');
    return { clock, nextDraft };
  }

  it('holds five drafts at once, and has room again when one of them is posted', async () => {
    const { nextDraft } = await fill({ limits: { initPerMinute: 100 } });
    expect(await nextDraft()).toBe('ok');
    expect(await nextDraft()).toBe('spam_risk_too_many_pending_share');
  });

  it('has room again only after a day where so switched', async () => {
    const { clock, nextDraft } = await fill({
      limits: { initPerMinute: 100 },
      switches: { postedDraftFreesPlace: false },
    });
    expect(await nextDraft()).toBe('spam_risk_too_many_pending_share');
    clock.advance(DAY_MS);
    expect(await nextDraft()).toBe('ok');
  });
});

describe('F18: a sandbox', () => {
  it('delivers drafts, refuses public posts and every refresh', async () => {
    const simulator = await start({ sandbox: true });
    const account = simulator.addAccount();
    expect(errorCode(await call(simulator, account, 'inbox_init', { source_info: wholeFile(9) }))).toBe('ok');
    const post = directPost(9, { privacy_level: 'PUBLIC_TO_EVERYONE' });
    expect(errorCode(await call(simulator, account, 'video_init', post))).toBe(
      'unaudited_client_can_only_post_to_private_accounts',
    );
    const refreshed = await callOauth(simulator, 'token', {
      grant_type: 'refresh_token',
      refresh_token: account.refreshToken,
    });
    expect(errorCode(refreshed)).toBe('invalid_grant');
  });
});
