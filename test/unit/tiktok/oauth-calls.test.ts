import { describe, expect, it } from 'vitest';
import type { FakeAnswer } from '../../fakes/tiktok-server.ts';
import { rejection } from '../../support/rejection.ts';
import { clientUnderTest } from './client-under-test.ts';

const credentials = { clientKey: 'key', clientSecret: 'client secret' };
const grantWire = {
  access_token: 'act.new',
  expires_in: 7_200,
  refresh_token: 'rft.new',
  refresh_expires_in: 15_552_000,
  open_id: 'open-1',
  scope: 'video.publish,video.upload',
  token_type: 'Bearer',
};
const grant = {
  accessToken: 'act.new',
  expiresInSeconds: 7_200,
  refreshToken: 'rft.new',
  refreshExpiresInSeconds: 15_552_000,
  openId: 'open-1',
  scope: 'video.publish,video.upload',
};

async function refreshFailure(answer: FakeAnswer) {
  const { client, server } = await clientUnderTest();
  const refresh = client.refreshToken({ ...credentials, refreshToken: 'rft.old' });
  (await server.nextRequest()).respondWith(answer);
  return rejection(refresh);
}

describe('refreshToken', () => {
  it('trades the refresh token for new tokens', async () => {
    const { client, server } = await clientUnderTest();
    const refresh = client.refreshToken({ ...credentials, refreshToken: 'rft.old+/' });
    const request = await server.nextRequest();
    expect(request).toMatchObject({ method: 'POST', path: '/v2/oauth/token/' });
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams((await request.readBody()).toString()))).toEqual({
      client_key: 'key',
      client_secret: 'client secret',
      grant_type: 'refresh_token',
      refresh_token: 'rft.old+/',
    });
    request.respondWith({ json: grantWire });
    expect(await refresh).toEqual(grant);
  });

  it.each([200, 400, 401])('sees a dead grant with HTTP %i', async (status) => {
    const json = { error: 'invalid_grant', error_description: 'Refresh token is invalid.', log_id: 'l' };
    expect(await refreshFailure({ status, json })).toMatchObject({
      code: 'AUTH_REAUTHORIZATION_REQUIRED',
      details: { tiktokCode: 'invalid_grant', tiktokMessage: 'Refresh token is invalid.', tiktokLogId: 'l' },
    });
  });

  it.each([
    ['a refused app', { status: 401, json: { error: 'invalid_client' } }, 'AUTH_CLIENT_REFUSED'],
    ['an unknown error', { json: { error: 'odd' } }, 'TIKTOK_UNKNOWN_ERROR'],
    ['an enveloped error', { status: 429, json: { error: { code: 'rate_limit_exceeded' } } }, 'TIKTOK_RATE_LIMITED'],
    ['a failure of a gateway', { status: 503, text: '<html>' }, 'TIKTOK_INTERNAL'],
    ['HTML', { status: 200, text: '<html>' }, 'TRANSPORT_BAD_ANSWER'],
    ['tokens without an access token', { json: { ...grantWire, access_token: undefined } }, 'TRANSPORT_BAD_ANSWER'],
    ['tokens with HTTP 500', { status: 500, json: grantWire }, 'TIKTOK_INTERNAL'],
  ])('does not take %s for tokens or a dead grant', async (_what, answer, code) => {
    expect((await refreshFailure(answer)).code).toBe(code);
  });

  it('is not repeated by itself, since the old token may be used up', async () => {
    const { client, server } = await clientUnderTest();
    const refresh = client.refreshToken({ ...credentials, refreshToken: 'rft.old' });
    (await server.nextRequest()).destroy();
    expect(await rejection(refresh)).toMatchObject({
      code: 'TRANSPORT_NO_ANSWER',
      details: { endpoint: 'oauth_refresh' },
    });
    expect(server.connectionCount()).toBe(1);
  });
});

describe('exchangeCode', () => {
  it.each([
    [undefined, {}],
    ['verifier', { code_verifier: 'verifier' }],
  ])('trades a code for tokens, code verifier %s', async (codeVerifier, extra) => {
    const { client, server } = await clientUnderTest();
    const exchange = client.exchangeCode({
      ...credentials,
      code: 'c*!1',
      redirectUri: 'https://a.example/cb',
      codeVerifier,
    });
    const request = await server.nextRequest();
    expect(Object.fromEntries(new URLSearchParams((await request.readBody()).toString()))).toEqual({
      client_key: 'key',
      client_secret: 'client secret',
      grant_type: 'authorization_code',
      code: 'c*!1',
      redirect_uri: 'https://a.example/cb',
      ...extra,
    });
    request.respondWith({ json: grantWire });
    expect(await exchange).toEqual(grant);
  });
});

describe('revokeToken', () => {
  it.each([{ text: '' }, { json: {} }])('is done with the answer %j', async (answer) => {
    const { client, server } = await clientUnderTest();
    const revoke = client.revokeToken({ ...credentials, accessToken: 'act.1' });
    const request = await server.nextRequest();
    expect(request.path).toBe('/v2/oauth/revoke/');
    expect(new URLSearchParams((await request.readBody()).toString()).get('token')).toBe('act.1');
    request.respondWith(answer);
    expect(await revoke).toBeUndefined();
  });

  it('says when it failed', async () => {
    const { client, server } = await clientUnderTest();
    const revoke = client.revokeToken({ ...credentials, accessToken: 'act.1' });
    (await server.nextRequest()).respondWith({ json: { error: 'invalid_client' } });
    expect((await rejection(revoke)).code).toBe('AUTH_CLIENT_REFUSED');
  });
});
