import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/index.ts';
import { call, callOauth, errorCode, send } from './api-calls.ts';
import { handClock, start } from './simulators.ts';

const REDIRECT = 'https://app.example.com/callback';

const refresh = (simulator: Simulator, refreshToken: string) =>
  callOauth(simulator, 'token', { grant_type: 'refresh_token', refresh_token: refreshToken });

async function startTimed(options: Parameters<typeof start>[0] = {}) {
  const clock = handClock();
  const simulator = await start({ clock, ...options });
  return { clock, simulator, account: simulator.addAccount() };
}

describe('access tokens', () => {
  it('work for two hours by default', async () => {
    const { clock, simulator, account } = await startTimed();
    expect(account.expiresIn).toBe(7_200);
    clock.advance(7_199_999);
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(200);
    clock.advance(1);
    expect(errorCode(await call(simulator, account, 'creator_info', {}))).toBe('access_token_invalid');
  });

  it('can be expired by the test, without harm to the refresh token', async () => {
    const { simulator, account } = await startTimed();
    simulator.expireAccessToken(account.openId);
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(401);
    expect((await refresh(simulator, account.refreshToken)).json).toHaveProperty('access_token');
  });
});

describe('refreshing', () => {
  it('hands out new tokens in a flat body', async () => {
    const { simulator, account } = await startTimed();
    const reply = await refresh(simulator, account.refreshToken);
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({
      access_token: expect.stringMatching(/^act\./),
      refresh_token: expect.stringMatching(/^rft\./),
      expires_in: 7_200,
      refresh_expires_in: 15_552_000,
      open_id: account.openId,
      scope: 'user.info.basic,video.publish,video.upload',
      token_type: 'Bearer',
    });
    const renewed = { accessToken: String(reply.json.access_token) };
    expect((await call(simulator, renewed, 'creator_info', {})).status).toBe(200);
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(200);
  });

  it('stops the previous refresh token at once', async () => {
    const { simulator, account } = await startTimed();
    const renewed = await refresh(simulator, account.refreshToken);
    const repeated = await refresh(simulator, account.refreshToken);
    expect(repeated.status).toBe(200);
    expect(repeated.json).toEqual({
      error: 'invalid_grant',
      error_description: expect.any(String),
      log_id: expect.any(String),
    });
    expect((await refresh(simulator, String(renewed.json.refresh_token))).json).toHaveProperty('access_token');
  });

  it('keeps the refresh token when rotation is off, and its deadline when so switched', async () => {
    const { clock, simulator, account } = await startTimed({
      rotateRefreshTokens: false,
      refreshTokenSeconds: 100,
      switches: { refreshLifetimeRestarts: false, oldAccessTokens: 'invalid' },
    });
    clock.advance(60_000);
    const reply = await refresh(simulator, account.refreshToken);
    expect(reply.json).toMatchObject({ refresh_token: account.refreshToken, refresh_expires_in: 40 });
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(401);
    clock.advance(40_000);
    expect(errorCode(await refresh(simulator, account.refreshToken))).toBe('invalid_grant');
  });

  it.each([
    ['another secret', { grant_type: 'refresh_token', client_secret: 'wrong' }, 'invalid_client', 401],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request', 400],
    ['an unknown refresh token', { grant_type: 'refresh_token', refresh_token: 'rft.x' }, 'invalid_grant', 400],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type', 400],
    ['no grant', {}, 'unsupported_grant_type', 400],
  ] as const)('refuses %s, with status 200 or as RFC 6749 has it', async (_name, fields, code, rfcStatus) => {
    const lenient = await start();
    const rfc = await start({ switches: { oauthErrorStatus: 'rfc' } });
    const replies = [await callOauth(lenient, 'token', fields), await callOauth(rfc, 'token', fields)];
    expect(replies.map((reply) => [reply.status, errorCode(reply)])).toEqual([
      [200, code],
      [rfcStatus, code],
    ]);
  });

  it('refuses a JSON body', async () => {
    const simulator = await start();
    const reply = await send(`${simulator.url}/v2/oauth/token/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_key: simulator.clientKey }),
    });
    expect(errorCode(reply)).toBe('invalid_request');
  });
});

describe('connecting an account', () => {
  const exchange = (simulator: Simulator, code: string, fields: Record<string, string> = {}) =>
    callOauth(simulator, 'token', { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...fields });

  it('exchanges a code once, for the same redirect URI', async () => {
    const { simulator, account } = await startTimed();
    const code = simulator.authorize(account.openId, REDIRECT);
    expect((await exchange(simulator, code)).json).toMatchObject({ open_id: account.openId, token_type: 'Bearer' });
    expect(errorCode(await exchange(simulator, code))).toBe('invalid_grant');
    const other = simulator.authorize(account.openId, REDIRECT);
    expect(errorCode(await exchange(simulator, other, { redirect_uri: `${REDIRECT}/` }))).toBe('invalid_grant');
  });

  it('checks the PKCE verifier against the hex challenge', async () => {
    const { simulator, account } = await startTimed();
    const challenge = createHash('sha256').update('verifier').digest('hex');
    const authorize = () => simulator.authorize(account.openId, REDIRECT, challenge);
    expect(errorCode(await exchange(simulator, authorize()))).toBe('invalid_grant');
    expect(errorCode(await exchange(simulator, authorize(), { code_verifier: 'guess' }))).toBe('invalid_grant');
    expect((await exchange(simulator, authorize(), { code_verifier: 'verifier' })).json).toHaveProperty('access_token');
  });

  it('refuses a code after ten minutes', async () => {
    const { clock, simulator, account } = await startTimed();
    const code = simulator.authorize(account.openId, REDIRECT);
    clock.advance(600_000);
    expect(errorCode(await exchange(simulator, code))).toBe('invalid_grant');
  });

  it('sends the browser back with code and state from the consent page', async () => {
    const { simulator, account } = await startTimed();
    const query = new URLSearchParams({
      client_key: simulator.clientKey,
      response_type: 'code',
      scope: 'video.publish',
      redirect_uri: REDIRECT,
      state: 'a state',
    });
    const reply = await send(`${simulator.url}/v2/auth/authorize/?${query}`, { method: 'GET' });
    expect(reply.status).toBe(302);
    const target = new URL(String(reply.headers.location));
    expect(`${target.origin}${target.pathname}`).toBe(REDIRECT);
    expect(target.searchParams.get('state')).toBe('a state');
    const code = target.searchParams.get('code') ?? '';
    expect((await exchange(simulator, code)).json).toMatchObject({ open_id: account.openId });
    query.set('client_key', 'another');
    expect(errorCode(await send(`${simulator.url}/v2/auth/authorize/?${query}`, { method: 'GET' }))).toBe(
      'invalid_request',
    );
  });

  it('asks a person in a browser who they are, and sends back what they answer', async () => {
    const { simulator, account } = await startTimed();
    const query = { client_key: simulator.clientKey, response_type: 'code', redirect_uri: REDIRECT, state: 'a&b' };
    const url = `${simulator.url}/v2/auth/authorize/?${new URLSearchParams(query)}`;
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    const links = [...page.matchAll(/href="(\?[^"]+)">([^<]+)/g)].map(([, href = '', text = '']) => ({
      href: new URL(href.replaceAll('&#38;', '&'), url),
      text,
    }));
    expect(links.map(({ text }) => text)).toEqual(['Allow, as User 1 (@user_1)', 'Allow, as a new user', 'Decline']);
    const ends = await Promise.all(
      links.map(async ({ href }) => {
        const { headers } = await fetch(href, { redirect: 'manual', headers: { accept: 'text/html' } });
        return new URL(headers.get('location') ?? '').searchParams;
      }),
    );
    expect(ends.map((end) => end.get('state'))).toEqual(['a&b', 'a&b', 'a&b']);
    expect(ends.map((end) => end.get('error'))).toEqual([null, null, 'access_denied']);
    const openIds = await Promise.all(
      ends.slice(0, 2).map(async (end) => {
        const form = { grant_type: 'authorization_code', code: end.get('code') ?? '', redirect_uri: REDIRECT };
        return (await callOauth(simulator, 'token', form)).json.open_id;
      }),
    );
    expect(openIds[0]).toBe(account.openId);
    expect(openIds[1]).toMatch(/^-000/);
    expect(openIds[1]).not.toBe(account.openId);
  });
});

describe('revoking', () => {
  it('takes an access token and disconnects its user', async () => {
    const { simulator, account } = await startTimed();
    const reply = await callOauth(simulator, 'revoke', { token: account.accessToken });
    expect([reply.status, reply.text]).toEqual([200, '{}']);
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(401);
    expect(errorCode(await refresh(simulator, account.refreshToken))).toBe('invalid_grant');
    expect(errorCode(await callOauth(simulator, 'revoke', { token: account.accessToken }))).toBe('invalid_grant');
    expect(errorCode(await callOauth(simulator, 'revoke', {}))).toBe('invalid_request');
  });
});
