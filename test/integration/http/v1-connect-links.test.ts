import { expect, it } from 'vitest';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { startApi } from '../../support/api-site.ts';
import { goThroughConsent, newUser } from '../../support/connect-site.ts';

const PATH = '/v1/accounts/connect-links';

it('a link over the API connects an account, and the browser comes back to the app', async () => {
  const api = await startApi({ PORT: String(await freePort()), CONNECT_RETURN_ORIGINS: 'https://app.example.com' });
  newUser(api.simulator, 'open-id-1');
  const returnTo = 'https://app.example.com/settings?tab=tiktok';
  const created = await api.call('POST', PATH, { account: 'acme', returnTo, expiresInMs: 60_000 });
  expect(created.status).toBe(201);
  expect(created.headers.get('cache-control')).toBe('no-store');
  expect(created.body).toEqual({
    ...{ account: 'acme', returnTo },
    url: expect.stringMatching(`^${api.url}/connect/tiktok\\?link=[\\w-]{43}$`),
    expiresAt: expect.any(String),
  });
  const { page } = await goThroughConsent((created.body as { url: string }).url, 'open-id-1');
  expect(page.location).toBe(`${returnTo}&account=acme&outcome=connected`);
  expect((await api.call('GET', '/v1/accounts/acme')).body).toMatchObject({ openId: 'open-id-1', status: 'active' });
});

it('names what is wrong with a request for a link', async () => {
  const api = await startApi({
    PUBLIC_BASE_URL: 'https://a.example',
    CONNECT_RETURN_ORIGINS: 'https://app.example.com',
  });
  const wrong = await api.call('POST', PATH, { account: 'a b', returnTo: 'x', expiresInMs: 1, for: 'ever' });
  expect(wrong).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
  expect(wrong.body).toMatchObject({
    problems: [{ path: 'account' }, { path: 'returnTo' }, { path: 'expiresInMs' }, { path: 'for' }],
  });
  const evil = await api.call('POST', PATH, { account: 'acme', returnTo: 'https://evil.example/' });
  expect(evil).toMatchObject({ status: 400, body: { problems: [{ path: 'returnTo' }] } });
  expect(evil.text).toContain('https://app.example.com');
  const unasked = await api.call('POST', PATH, { account: 'acme' });
  expect(unasked.body).toMatchObject({ url: expect.stringContaining('https://a.example/'), returnTo: null });
});

it('creates no link without the settings that make it work, and for nobody without a key', async () => {
  const bare = await startApi({
    PUBLIC_BASE_URL: 'https://a.example',
    TIKTOK_CLIENT_KEY: '',
    TIKTOK_CLIENT_SECRET: '',
  });
  expect(await bare.call('POST', PATH, { account: 'acme' })).toMatchObject({
    status: 503,
    body: { code: 'CONFIG_CLIENT_CREDENTIALS_MISSING' },
  });
  const nowhere = await startApi({ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test' });
  expect(await nowhere.call('POST', PATH, { account: 'acme' })).toMatchObject({ status: 401 });
  const authorization = 'Bearer key-of-this-test';
  expect(await nowhere.call('POST', PATH, { account: 'acme' }, { authorization })).toMatchObject({
    status: 503,
    body: { code: 'CONFIG_INVALID' },
  });
  expect(await nowhere.redis.keys(nowhere.app.keys.connectLink('*'))).toEqual([]);
});
