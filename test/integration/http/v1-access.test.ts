import { describe, expect, it } from 'vitest';
import { enqueue, PULL_REQUEST, startApi, useApi } from '../../support/api-site.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { request } from './raw-request.ts';

const KEYS = { API_KEYS: 'first-api-key,second-api-key' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('the API', () => {
  const withoutKeys = useApi();

  it('asks for a key on every route, before anything else is looked at', async () => {
    const api = await startApi(KEYS);
    for (const [method, path] of [
      ['GET', '/v1/publishes?nonsense=1'],
      ['POST', '/v1/publishes'],
      ['GET', '/v1/publishes/1/events'],
      ['GET', '/v1/events'],
      ['PUT', '/v1/accounts/acme'],
      ['DELETE', '/v1/accounts/acme'],
      ['PATCH', '/v1/accounts/acme'],
    ] as const) {
      const answer = await api.call(method, path, method === 'GET' ? undefined : { nonsense: true });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.body).toMatchObject({ code: 'API_KEY_WRONG' });
    }
    expect((await api.call('GET', '/v1/publishes', undefined, bearer('second-api-key'))).status).toBe(200);
  });

  it('counts requests for each key by itself, and those without a key together', async () => {
    const api = await startApi({ ...KEYS, API_RATE_LIMIT_PER_MINUTE: '3' });
    const get = (headers: Record<string, string>) => api.call('GET', '/v1/publishes', undefined, headers);
    for (let left = 2; left >= 0; left -= 1) {
      const answer = await get(bearer('first-api-key'));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-remaining')).toBe(String(left));
    }
    const refused = await get(bearer('first-api-key'));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body).toMatchObject({ status: 429, code: 'API_RATE_LIMITED' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await get(bearer('second-api-key'))).status).toBe(200);
    for (let guesses = 0; guesses < 3; guesses += 1) expect((await get(bearer(`guess-${guesses}`))).status).toBe(401);
    expect((await get(bearer('guess-4'))).status).toBe(429);
  });

  it('counts requests to pages and metrics by address, and does not count what says nothing', async () => {
    const api = await startApi({ API_RATE_LIMIT_PER_MINUTE: '3', TRUSTED_PROXIES: '127.0.0.1' });
    const get = (path: string, address: string) => api.call('GET', path, undefined, { 'x-forwarded-for': address });
    for (const path of ['/metrics', '/docs', '/nowhere']) {
      expect((await get(path, '192.0.2.1')).headers.get('ratelimit-limit')).toBe('3');
    }
    for (const path of ['/metrics', '/', '/readyz', '/openapi.json', '/connect/tiktok', '/board']) {
      expect([path, (await get(path, '192.0.2.1')).status]).toEqual([path, 429]);
    }
    expect((await get('/metrics', '192.0.2.2')).status).toBe(200);
    expect((await get('/healthz', '192.0.2.1')).status).toBe(200);
    expect((await api.call('POST', '/webhooks/tiktok', {}, { 'x-forwarded-for': '192.0.2.1' })).status).toBe(401);
  });

  it('without keys is not open to pages of other sites, which a browser on this machine may show', async () => {
    const api = withoutKeys();
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ]) {
      const answer = await request(`${api.url}/v1/publishes`, headers);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'ORIGIN_REFUSED' });
    }
    const own = await request(`${api.url}/v1/publishes`, { origin: api.url, 'sec-fetch-site': 'same-origin' });
    expect(own.status).toBe(200);
  });

  it('takes an address with slashes at its end or doubled, as a client joins it, for the address', async () => {
    const api = withoutKeys();
    const { status, headers } = await api.call('POST', '/v1/publishes/', PULL_REQUEST);
    expect(status).toBe(202);
    const location = headers.get('location') ?? '';
    for (const path of [
      `${location}/`,
      `/${location}`,
      '//v1//publishes/',
      '/healthz/',
      '/docs/',
      '/board/',
      '/docs',
    ]) {
      expect([path, (await api.call('GET', path)).status]).toEqual([path, 200]);
    }
    expect((await api.call('PATCH', '/v1/publishes/', {})).status).toBe(405);
    expect((await api.call('POST', '/v1/publishes//cancel', {})).status).toBe(405);
  });

  it('tells other methods which ones there are, and other sites nothing', async () => {
    const api = withoutKeys();
    const patch = await api.call('PATCH', '/v1/publishes', {});
    expect(patch.status).toBe(405);
    expect(patch.body).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    expect(patch.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST']);
    expect((await api.call('HEAD', '/v1/publishes')).status).toBe(200);
    expect((await api.call('HEAD', '/v1/events')).status).toBe(405);
    const options = await api.call('OPTIONS', '/v1/accounts/acme');
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT']);
    expect([...options.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each<[title: string, headers: Record<string, string>, body: string, status: number, code: string]>([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', 415, 'CONTENT_TYPE_UNSUPPORTED'],
    ['text', { 'content-type': 'text/plain' }, JSON.stringify(PULL_REQUEST), 415, 'CONTENT_TYPE_UNSUPPORTED'],
    ['half of JSON', { 'content-type': 'application/json' }, '{"account": ', 400, 'BODY_NOT_JSON'],
    ['nothing', { 'content-type': 'application/json' }, '', 400, 'INPUT_INVALID'],
    ['a prototype', { 'content-type': 'application/json' }, '{"__proto__": {"a": 1}}', 400, 'BODY_NOT_JSON'],
    ['a large body', { 'content-type': 'application/json' }, `"${'x'.repeat(70_000)}"`, 413, 'BODY_TOO_LARGE'],
    ['deep nesting', { 'content-type': 'application/json' }, nested(30_000), 400, 'INPUT_INVALID'],
  ])('refuses %s', async (_title, headers, body, status, code) => {
    const api = withoutKeys();
    const answer = await fetch(`${api.url}/v1/publishes`, { method: 'POST', headers, body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ status, code });
  });

  it.each<[title: string, id: string, status: number]>([
    ['a slash', '%2f', 404],
    ['a way out', '..%2f..%2fetc%2fpasswd', 404],
    ['a NUL', '%00', 404],
    ['a new line', 'a%0d%0aset-cookie:x', 404],
    ['a film camera', '%F0%9F%8E%AC', 404],
    ['half an escape', '%zz', 400],
    ['300 letters', 'x'.repeat(300), 400],
    ['10,000 letters', 'x'.repeat(10_000), 400],
    ['20,000 letters', 'x'.repeat(20_000), 431],
  ])('answers an id of %s with a problem document', async (_title, id, status) => {
    const api = withoutKeys();
    for (const path of [`/v1/publishes/${id}`, `/v1/publishes/${id}/events`]) {
      const answer = await request(`${api.url}${path}`, {});
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toMatchObject({ status, code: expect.any(String) });
    }
  });

  it('says that Redis is away, and when to try again, without a word about where it is', async () => {
    const redis = await startRedisServer(['save ""']);
    const api = await startApi({ REDIS_URL: `redis://127.0.0.1:${redis.port}` });
    await redis.close();
    for (const [method, path, body] of [
      ['GET', '/v1/publishes', undefined],
      ['POST', '/v1/publishes', PULL_REQUEST],
      ['GET', '/v1/accounts', undefined],
      ['GET', '/v1/accounts/acme/creator', undefined],
      ['GET', '/v1/events', undefined],
    ] as const) {
      const answer = await api.call(method, path, body);
      expect(answer.status).toBe(503);
      expect(answer.body).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN|ioredis/);
    }
  });

  it('says so on the board, in the console and on the page of a job, too', async () => {
    const redis = await startRedisServer(['save ""']);
    const api = await startApi({ REDIS_URL: `redis://127.0.0.1:${redis.port}` });
    const id = await enqueue(api);
    await redis.close();
    const pages = ['/publishes', `/publishes/${id}`, '/accounts', '/subscriptions', '/keys', '/audit'];
    for (const path of ['/board/api/queues', `/board/api/queues/tiktok-publish/${id}`, ...pages]) {
      const answer = await api.call('GET', path);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(answer.body).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN|ioredis/);
    }
  });
});

function nested(levels: number): string {
  return JSON.stringify({ ...PULL_REQUEST, metadata: 'HERE' }).replace(
    '"HERE"',
    `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`,
  );
}
