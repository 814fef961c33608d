import { describe, expect, it } from 'vitest';
import { newUser, startSite } from '../../support/connect-site.ts';
import { request } from './raw-request.ts';

const KEYS = { API_KEYS: 'first-api-key,second-api-key' };
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

/** A web server with one account. */
async function startWithAccount(env: Record<string, string> = {}, account = 'acme') {
  const site = await startSite(env);
  const user = newUser(site.simulator, 'user-of-the-account');
  await site.vault.add({ account, openId: user.openId, accessToken: user.accessToken });
  const asked = () => site.simulator.journal.requests({ endpoint: 'creator_info' });
  return { ...site, user, asked, path: `${site.url}/v1/accounts/${encodeURIComponent(account)}/creator` };
}

describe('GET /v1/accounts/:account/creator', () => {
  it('tells what a posting page shows, afresh at each call', async () => {
    const { path, url, user, asked } = await startWithAccount();
    for (const address of [path, `${url}/v1/accounts/${user.openId}/creator`]) {
      const answer = await fetch(address);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toEqual({
        username: expect.any(String),
        nickname: expect.any(String),
        avatarUrl: expect.stringMatching(/^https:/),
        privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
        commentDisabled: false,
        duetDisabled: false,
        stitchDisabled: false,
        maxVideoDurationSeconds: expect.any(Number),
        brandedPrivacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS'],
        photos: { commentDisabled: false, duetDisabled: true, stitchDisabled: true },
        texts: expect.objectContaining({ brandContentPrivacy: 'Branded content visibility cannot be set to private.' }),
      });
    }
    expect(asked()).toHaveLength(2);
  });

  it('says null for what TikTok left out', async () => {
    const { path, simulator } = await startWithAccount();
    const data = { privacy_level_options: ['SELF_ONLY'], comment_disabled: true };
    const body = JSON.stringify({ data, error: { code: 'ok', message: '', log_id: 'L1' } });
    simulator.faults.add({ endpoint: 'creator_info', act: { kind: 'raw', httpStatus: 200, body } });
    expect(await (await fetch(path)).json()).toMatchObject({
      ...{ username: null, nickname: null, avatarUrl: null, maxVideoDurationSeconds: null },
      ...{ privacyLevelOptions: ['SELF_ONLY'], commentDisabled: true, duetDisabled: false },
    });
  });

  it('finds an account with the longest and strangest of names', async () => {
    const { path } = await startWithAccount({}, `ä/ü?#%🎬${'漢'.repeat(120)}`);
    expect((await fetch(path)).status).toBe(200);
  });

  it.each<[title: string, headers: Record<string, string>]>([
    ['no key', {}],
    ['a wrong key', { authorization: 'Bearer third-api-key' }],
    ['half a key', { authorization: 'Bearer first-api' }],
    ['all keys at once', { authorization: `Bearer ${KEYS.API_KEYS}` }],
    ['an empty key', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${Buffer.from('first-api-key:').toString('base64')}` }],
    ['the key alone', { authorization: 'first-api-key' }],
  ])('is refused with %s, before TikTok is asked', async (_title, headers) => {
    const { path, asked } = await startWithAccount(KEYS);
    const answer = await fetch(path, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ status: 401, code: 'API_KEY_WRONG' });
    expect(text).not.toContain('api-key');
    expect(asked()).toEqual([]);
  });

  it('is given to each of the keys, from any host', async () => {
    const { path } = await startWithAccount({ ...KEYS, HOST: '0.0.0.0' });
    expect((await fetch(path, bearer('first-api-key'))).status).toBe(200);
    expect((await fetch(path, bearer('second-api-key'))).status).toBe(200);
    const elsewhere = await request(path, { host: 'publisher.example', authorization: 'Bearer first-api-key' });
    expect(elsewhere.status).toBe(200);
  });

  it.each<[title: string, headers: Record<string, string>]>([
    ['under a foreign name', { host: 'evil.example' }],
    ['through a proxy', { 'x-forwarded-for': '203.0.113.9' }],
  ])('without keys is not served %s', async (_title, headers) => {
    const { path, asked } = await startWithAccount();
    const answer = await request(path, headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'API_NEEDS_KEYS' });
    expect(asked()).toEqual([]);
  });

  it('answers errors with problem documents that say what to do', async () => {
    const { path, url, simulator } = await startWithAccount();
    const unknown = await fetch(`${url}/v1/accounts/nobody/creator`);
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get('content-type')).toContain('application/problem+json');
    expect(await unknown.json()).toMatchObject({
      code: 'INPUT_ACCOUNT_UNKNOWN',
      detail: expect.stringContaining('accounts list'),
    });

    const cases = [
      [{ kind: 'status', httpStatus: 200, code: 'spam_risk_too_many_posts' }, 409, 'TIKTOK_DAILY_POST_CAP'],
      [{ kind: 'status', httpStatus: 401, code: 'scope_not_authorized' }, 409, 'AUTH_SCOPE_MISSING'],
      [{ kind: 'status', httpStatus: 500, code: 'internal_error' }, 502, 'TIKTOK_INTERNAL'],
    ] as const;
    for (const [act, status, code] of cases) {
      simulator.faults.add({ endpoint: 'creator_info', act });
      const answer = await fetch(path);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ status, code });
    }
  });

  it.each([1, 77])('names when it asks TikTok again, which had asked for %s s', async (retryAfterSeconds) => {
    const { path, simulator } = await startWithAccount();
    simulator.faults.add({ endpoint: 'creator_info', act: { kind: 'rate_limit', retryAfterSeconds } });
    const pauseSeconds = Math.max(60, retryAfterSeconds);
    // TikTok's answer, then our own, which spares TikTok a call.
    for (const answer of [await fetch(path), await fetch(path)]) {
      expect([answer.status, await answer.json()]).toMatchObject([429, { code: 'TIKTOK_RATE_LIMITED' }]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(pauseSeconds - 30);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(pauseSeconds + 1);
    }
    expect(simulator.journal.requests({ endpoint: 'creator_info' })).toHaveLength(1);
  });

  it('says that the account must be connected again when its token is refused', async () => {
    const { path, simulator, user } = await startWithAccount();
    simulator.expireAccessToken(user.openId);
    const answer = await fetch(path);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'AUTH_REAUTHORIZATION_REQUIRED' });
  });
});
