import { describe, expect, it } from 'vitest';
import { call, directPost, errorCode, PATHS, send, wholeFile } from './api-calls.ts';
import { start } from './simulators.ts';

const SOURCE_INCORRECT = 'The request source info is empty or incorrect';
const POST_INCORRECT = 'The request post info is empty or incorrect';
const SIZE_INVALID = 'The chunk size is invalid';
const COUNT_INVALID = 'The total chunk count is invalid';

const plan = (video_size: unknown, chunk_size: unknown, total_chunk_count: unknown) => ({
  source: 'FILE_UPLOAD',
  video_size,
  chunk_size,
  total_chunk_count,
});

describe('chunk plan at init', () => {
  const accepted = [
    ['one byte whole', plan(1, 1, 1)],
    ['4 MiB whole', plan(4_194_304, 4_194_304, 1)],
    ['64 MB whole', plan(64_000_000, 64_000_000, 1)],
    ['remainder in the last chunk', plan(50_000_123, 10_000_000, 5)],
    ['just over 64 MB in two', plan(64_000_001, 32_000_000, 2)],
    ['smallest legal chunks', plan(158_008_374, 5_242_880, 30)],
    ['4 GB', plan(4_000_000_000, 32_000_000, 125)],
  ] as const;
  it.each(accepted)('accepts %s', async (_name, sourceInfo) => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount(), 'inbox_init', { source_info: sourceInfo });
    expect(reply.json).toMatchObject({
      error: { code: 'ok', message: '' },
      data: { publish_id: expect.stringMatching(/^v_inbox_file~v2\.\d{19}$/) },
    });
  });

  const refused = [
    ['count rounded up', plan(50_000_123, 10_000_000, 6), COUNT_INVALID],
    ['one chunk smaller than the file', plan(15_000_000, 10_000_000, 1), SIZE_INVALID],
    ['66 MB in one chunk of 64 MB', plan(66_259_900, 64_000_000, 1), SIZE_INVALID],
    ['66 MB whole', plan(66_259_900, 66_259_900, 1), SIZE_INVALID],
    ['chunks under 5 MiB', plan(50_000_000, 5_000_000, 10), SIZE_INVALID],
    ['chunks over 64 MB', plan(640_000_000, 67_108_864, 9), SIZE_INVALID],
    ['a chunk larger than the file', plan(6_000_000, 7_000_000, 1), SIZE_INVALID],
    ['no chunks', plan(50_000_000, 10_000_000, 0), COUNT_INVALID],
    ['more than 4 GB', plan(4_000_000_001, 32_000_000, 125), SOURCE_INCORRECT],
    ['an empty file', plan(0, 0, 0), SOURCE_INCORRECT],
    ['numbers as text', plan('100', '100', '1'), SOURCE_INCORRECT],
    ['a fraction', plan(100.5, 100.5, 1), SOURCE_INCORRECT],
    ['no video_size', { source: 'FILE_UPLOAD', chunk_size: 100, total_chunk_count: 1 }, SOURCE_INCORRECT],
    ['an unknown source', { source: 'CARRIER_PIGEON' }, SOURCE_INCORRECT],
    ['a pull without URL', { source: 'PULL_FROM_URL' }, SOURCE_INCORRECT],
    ['no source_info', undefined, SOURCE_INCORRECT],
  ] as const;
  it.each(refused)('refuses %s', async (_name, sourceInfo, message) => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount(), 'inbox_init', { source_info: sourceInfo });
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({ data: {}, error: { code: 'invalid_params', message } });
    expect(simulator.journal.publishes()).toEqual([]);
  });

  const readings = [
    ['intersection', plan(67_108_864, 67_108_864, 1), 400],
    ['decimal', plan(67_108_864, 67_108_864, 1), 400],
    ['binary', plan(67_108_864, 67_108_864, 1), 200],
    ['intersection', plan(50_000_000, 5_000_000, 10), 400],
    ['decimal', plan(50_000_000, 5_000_000, 10), 200],
    ['binary', plan(50_000_000, 5_000_000, 10), 400],
  ] as const;
  it.each(readings)('under the %s reading of MB answers %j with %i', async (megabyte, sourceInfo, status) => {
    const simulator = await start({ switches: { megabyte } });
    const reply = await call(simulator, simulator.addAccount(), 'inbox_init', { source_info: sourceInfo });
    expect(reply.status).toBe(status);
  });
});

describe('post_info of a direct post', () => {
  const refused = [
    ['a missing post_info', undefined, 400, 'invalid_params', POST_INCORRECT],
    ['a privacy level that does not exist', { privacy_level: 'PUBLIC' }, 400, 'invalid_params', POST_INCORRECT],
    ['a title over 2200 units', { title: 'x'.repeat(2_201) }, 400, 'invalid_params', POST_INCORRECT],
    ['2200 units counted in UTF-16', { title: '😀'.repeat(1_101) }, 400, 'invalid_params', POST_INCORRECT],
    ['a title that is no text', { title: 1 }, 400, 'invalid_params', POST_INCORRECT],
    ['a toggle that is no boolean', { disable_duet: 'true' }, 400, 'invalid_params', POST_INCORRECT],
    ['private branded content', { brand_content_toggle: true }, 400, 'invalid_params', POST_INCORRECT],
    ['no privacy level', { privacy_level: undefined }, 403, 'privacy_level_option_mismatch', 'Please review'],
    [
      'a level not offered',
      { privacy_level: 'FOLLOWER_OF_CREATOR' },
      403,
      'privacy_level_option_mismatch',
      'Please review',
    ],
  ] as const;
  it.each(refused)('refuses %s', async (_name, postInfo, status, code, message) => {
    const simulator = await start();
    const body = postInfo === undefined ? { source_info: wholeFile(9) } : directPost(9, postInfo);
    const reply = await call(simulator, simulator.addAccount(), 'video_init', body);
    expect(reply.status).toBe(status);
    expect(reply.json).toMatchObject({ error: { code, message: expect.stringContaining(message) } });
  });

  it('accepts every documented field and ignores unknown ones', async () => {
    const simulator = await start();
    const postInfo = {
      title: 'x'.repeat(2_200),
      disable_duet: true,
      disable_stitch: false,
      disable_comment: true,
      video_cover_timestamp_ms: -5,
      brand_content_toggle: false,
      brand_organic_toggle: true,
      is_aigc: true,
      tomorrow: 'unknown',
    };
    const reply = await call(simulator, simulator.addAccount(), 'video_init', directPost(9, postInfo));
    expect(reply.status).toBe(200);
    expect(simulator.journal.publishes()).toMatchObject([{ postInfo, privacyLevel: 'SELF_ONLY', kind: 'direct' }]);
  });

  it('lets private branded content through when so switched', async () => {
    const simulator = await start({ switches: { brandedSelfOnly: 'accept' } });
    const body = directPost(9, { brand_content_toggle: true });
    expect((await call(simulator, simulator.addAccount(), 'video_init', body)).status).toBe(200);
  });

  it('spells the parameter error as the documentation does when so switched', async () => {
    const simulator = await start({ switches: { invalidParamsSpelling: 'invalid_param', errorData: 'absent' } });
    const reply = await call(simulator, simulator.addAccount(), 'video_init', {});
    expect(errorCode(reply)).toBe('invalid_param');
    expect(reply.json).not.toHaveProperty('data');
  });

  it('ignores post_info sent with a draft', async () => {
    const simulator = await start();
    const body = { source_info: wholeFile(9), post_info: { privacy_level: 'NONSENSE', title: 'lost' } };
    expect((await call(simulator, simulator.addAccount(), 'inbox_init', body)).status).toBe(200);
    expect(simulator.journal.publishes()).toMatchObject([{ kind: 'inbox', title: undefined }]);
  });
});

describe('what every publishing endpoint demands', () => {
  const endpoints = ['creator_info', 'video_init', 'inbox_init', 'content_init', 'status', 'cancel'] as const;

  it.each(endpoints)('%s refuses a token that does not exist', async (endpoint) => {
    const simulator = await start();
    const reply = await call(simulator, { accessToken: 'act.unknown' }, endpoint, {});
    expect(reply.status).toBe(401);
    expect(reply.json).toMatchObject({
      error: {
        code: 'access_token_invalid',
        message: 'The access token is invalid or not found in the request.',
        log_id: expect.stringMatching(/^\w{32}$/),
      },
    });
  });

  it.each(endpoints)('%s refuses a call without the Bearer scheme', async (endpoint) => {
    const simulator = await start();
    const account = simulator.addAccount();
    const reply = await call(simulator, account, endpoint, {}, { headers: { authorization: account.accessToken } });
    expect(reply.status).toBe(401);
  });

  it.each([
    ['creator_info', ['video.upload']],
    ['video_init', ['video.upload']],
    ['inbox_init', ['video.publish']],
    ['status', ['user.info.basic']],
    ['cancel', ['user.info.basic']],
  ] as const)('%s refuses a grant of only %j', async (endpoint, scopes) => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount({ scopes: [...scopes] }), endpoint, {});
    expect(reply.status).toBe(401);
    expect(errorCode(reply)).toBe('scope_not_authorized');
  });

  it.each(endpoints)('%s refuses a body of another type', async (endpoint) => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount(), endpoint, '{}', {
      headers: { 'content-type': 'text/plain' },
    });
    expect(reply.status).toBe(400);
    expect(errorCode(reply)).toBe('invalid_params');
  });

  it.each(['{', '[]', 'null', '"text"'])('refuses the body %s', async (body) => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount(), 'status', body);
    expect(reply.status).toBe(400);
  });

  it('accepts application/json without a charset, and creator_info without a body', async () => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount(), 'creator_info', '', {
      headers: { 'content-type': 'application/json' },
    });
    expect(reply.status).toBe(200);
  });

  it('does not know a path without its last slash, nor another method', async () => {
    const simulator = await start();
    const paths = Object.values(PATHS);
    const slashless = await Promise.all(
      paths.map((path) => send(`${simulator.url}${path.slice(0, -1)}`, { method: 'POST' })),
    );
    const gets = await Promise.all(paths.map((path) => send(`${simulator.url}${path}`, { method: 'GET' })));
    expect([...slashless, ...gets].map((reply) => reply.status)).toEqual(Array(paths.length * 2).fill(404));
  });
});

describe('creator_info', () => {
  it('describes a public creator', async () => {
    const simulator = await start();
    const account = simulator.addAccount({ username: 'ann', nickname: 'Ann', maxVideoPostDurationSec: 600 });
    const reply = await call(simulator, account, 'creator_info', {});
    expect(reply.json.data).toMatchObject({
      creator_username: 'ann',
      creator_nickname: 'Ann',
      privacy_level_options: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
      comment_disabled: false,
      duet_disabled: false,
      stitch_disabled: false,
      max_video_post_duration_sec: 600,
    });
  });

  it('describes a private creator', async () => {
    const simulator = await start();
    const reply = await call(simulator, simulator.addAccount({ private: true }), 'creator_info', {});
    expect(reply.json.data).toMatchObject({
      privacy_level_options: ['FOLLOWER_OF_CREATOR', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
      duet_disabled: true,
      stitch_disabled: true,
    });
  });

  it('tells of a ban with status 200, where init says 403', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    simulator.updateAccount(account.openId, { banned: true });
    const info = await call(simulator, account, 'creator_info', {});
    const init = await call(simulator, account, 'video_init', directPost());
    expect([info.status, init.status]).toEqual([200, 403]);
    expect([errorCode(info), errorCode(init)]).toEqual(Array(2).fill('spam_risk_user_banned_from_posting'));
  });
});
