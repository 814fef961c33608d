import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { type Api, enqueue, PULL_REQUEST, startApi } from '../../support/api-site.ts';
import { newUser } from '../../support/connect-site.ts';
import { openEvents } from '../../support/event-source.ts';
import { eventually } from '../../support/eventually.ts';

const ADMIN = { authorization: 'Bearer the-bootstrap-key' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

const Created = z.looseObject({ id: z.string(), key: z.string() });

/** An API with a key of the settings, and a short way to make others. */
async function startGuarded() {
  const api = await startApi({ API_KEYS: 'the-bootstrap-key', PUBLIC_BASE_URL: 'https://publisher.example.com' });
  const create = async (request: Record<string, unknown>) =>
    Created.parse((await api.call('POST', '/v1/keys', request, ADMIN)).body);
  const addAccount = async (account: string) => {
    const { openId, accessToken } = newUser(api.simulator, `user-${account}`);
    await api.call('PUT', `/v1/accounts/${account}`, { openId, accessToken, expiresIn: 86_400 }, ADMIN);
  };
  return { ...api, create, addAccount };
}

const enqueueFor = async (api: Api, account: string, metadata = {}) => {
  const answer = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, account, metadata }, ADMIN);
  return z.looseObject({ id: z.string() }).parse(answer.body).id;
};

describe('an API key made at run time', () => {
  it('works at once, is shown once, is listed without its text, and ends when it is revoked', async () => {
    const api = await startGuarded();
    const { key, id } = await api.create({ name: 'shop', scopes: ['read'] });
    expect((await api.call('GET', '/v1/publishes', undefined, bearer(key))).status).toBe(200);
    const list = await api.call('GET', '/v1/keys', undefined, ADMIN);
    expect(list.body).toMatchObject({
      keys: [{ id, name: 'shop', scopes: ['read'], accounts: null, expiresAt: null, createdBy: 'API_KEYS 1' }],
    });
    expect(list.text).not.toContain(key);
    expect(JSON.stringify(await api.redis.hgetall(api.app.keys.apiKeys))).not.toContain(key);
    expect((await api.call('DELETE', `/v1/keys/${id}`, undefined, ADMIN)).body).toMatchObject({ id, name: 'shop' });
    const after = await api.call('GET', '/v1/publishes', undefined, bearer(key));
    expect([after.status, after.body]).toMatchObject([401, { code: 'API_KEY_WRONG' }]);
    expect((await api.call('DELETE', `/v1/keys/${id}`, undefined, ADMIN)).status).toBe(404);
  });

  it('is told nothing more on a stream that is open when it is revoked; other keys are', async () => {
    const api = await startGuarded();
    const { key, id } = await api.create({ name: 'shop', scopes: ['read'] });
    const other = await api.create({ name: 'desk', scopes: ['read'] });
    const [stream, stays] = await Promise.all(
      [key, other.key].map(async (each) => await openEvents(`${api.url}/v1/events`, bearer(each))),
    );
    const before = await enqueueFor(api, 'acme');
    expect((await stream?.next())?.event.subject).toBe(before);
    await api.call('DELETE', `/v1/keys/${id}`, undefined, ADMIN);
    // What happens within a second may still be told.
    await eventually(async () => {
      await enqueueFor(api, 'acme');
      expect(await stream?.next()).toBeUndefined();
    });
    expect((await stays?.next())?.event.subject).toBe(before);
    expect(await stays?.next()).toBeDefined();
  });

  it('ends at its time', async () => {
    const api = await startGuarded();
    const { key, id } = await api.create({ name: 'short', scopes: ['read'], expiresAt: '2100-01-01T00:00:00+02:00' });
    expect((await api.call('GET', '/v1/publishes', undefined, bearer(key))).status).toBe(200);
    const [[digest = '', json = ''] = []] = Object.entries(await api.redis.hgetall(api.app.keys.apiKeys));
    await api.redis.hset(api.app.keys.apiKeys, digest, json.replace('2099-12-31T22', '2020-12-31T22'));
    expect((await api.call('GET', '/v1/publishes', undefined, bearer(key))).status).toBe(401);
    expect((await api.call('GET', '/v1/keys', undefined, ADMIN)).text).not.toContain(id);
  });

  it('is not guessed faster than the limit of an address, and the guesses hold up no known key from there', async () => {
    const api = await startApi({ API_KEYS: 'the-bootstrap-key', API_RATE_LIMIT_PER_MINUTE: '20' });
    const made = await api.call('POST', '/v1/keys', { name: 'shop', scopes: ['read'] }, ADMIN);
    const { key } = Created.parse(made.body);
    const get = async (text: string) => (await api.call('GET', '/v1/publishes', undefined, bearer(text))).status;
    expect(await get(key)).toBe(200);
    const look = vi.spyOn(Redis.prototype, 'hget');
    onTestFinished(() => look.mockRestore());
    const statuses: number[] = [];
    for (let guess = 0; guess < 40; guess += 1) statuses.push(await get(`tpk_guess-${guess}`));
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(await get(key)).toBe(200);
    const lookups = look.mock.calls.filter(([name]) => name === api.app.keys.apiKeys);
    expect(lookups).toHaveLength(statuses.filter((status) => status === 401).length + 1);
  });

  it('of a newer version with fields that this one does not know opens nothing, and hides no other key', async () => {
    const api = await startGuarded();
    const { key } = await api.create({ name: 'newer', scopes: ['read'] });
    const { name } = await api.create({ name: 'shop', scopes: ['read'] });
    const stored = await api.redis.hgetall(api.app.keys.apiKeys);
    const [digest = '', json = ''] = Object.entries(stored).find(([, each]) => each.includes('"newer"')) ?? [];
    await api.redis.hset(api.app.keys.apiKeys, digest, json.replace('["read"]', '["read:own"]'));
    expect((await api.call('GET', '/v1/publishes', undefined, bearer(key))).status).toBe(401);
    expect((await api.call('GET', '/v1/keys', undefined, ADMIN)).body).toMatchObject({ keys: [{ name }] });
    await api.redis.xadd(api.app.keys.audit, '*', 'line', '{"action":"of.a.newer.version"}');
    expect(await api.call('GET', '/v1/audit', undefined, ADMIN)).toMatchObject({ status: 200 });
  });

  it.each([
    [{ name: 'a\u001b[2J', scopes: ['read'] }, 'name'],
    [{ name: 'a', scopes: [] }, 'scopes'],
    [{ name: 'a', scopes: ['root'] }, 'scopes.0'],
    [{ name: 'a', scopes: ['read'], accounts: [] }, 'accounts'],
    [{ name: 'a', scopes: ['read'], expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ name: 'a', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ name: 'a', scopes: ['read'], account: 'acme' }, 'account'],
  ])('is not made of %j', async (request, path) => {
    const api = await startGuarded();
    const answer = await api.call('POST', '/v1/keys', request, ADMIN);
    expect(answer).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID', problems: [{ path }] } });
  });

  it('has a name of its own', async () => {
    const api = await startGuarded();
    await api.create({ name: 'shop', scopes: ['read'] });
    const second = await api.call('POST', '/v1/keys', { name: 'shop', scopes: ['read'] }, ADMIN);
    expect(second).toMatchObject({ status: 400, body: { problems: [{ path: 'name' }] } });
  });

  it('also limits who has it on a server that serves its own machine without keys', async () => {
    const api = await startApi();
    const made = await api.call('POST', '/v1/keys', { name: 'viewer', scopes: ['read'] });
    const { key } = Created.parse(made.body);
    expect((await api.call('POST', '/v1/publishes', PULL_REQUEST, bearer(key))).body).toMatchObject({
      code: 'API_KEY_FORBIDDEN',
    });
    expect((await api.call('POST', '/v1/publishes', PULL_REQUEST)).status).toBe(202);
    expect((await api.call('GET', '/v1/publishes', undefined, bearer(`${key}x`))).status).toBe(401);
  });

  it.each([
    ['read', ['GET /v1/publishes', 'GET /v1/accounts', 'GET /v1/callbacks', 'GET /v1/facts']],
    ['enqueue', ['POST /v1/publishes', 'POST /v1/preflight']],
    ['operate', ['POST /v1/publishes/none/cancel', 'POST /v1/accounts/none/pause', 'POST /v1/callbacks/none/replay']],
    ['admin', ['GET /v1/keys', 'GET /v1/audit', 'PUT /v1/accounts/none', 'GET /v1/publishes']],
  ])('with the scope %s may do what that names, and no more', async (scope, allowed) => {
    const api = await startGuarded();
    const { key } = await api.create({ name: scope, scopes: [scope] });
    const others = ['GET /v1/publishes', 'POST /v1/publishes', 'POST /v1/publishes/none/cancel', 'GET /v1/keys'];
    for (const route of [...allowed, ...others]) {
      const [method = '', path = ''] = route.split(' ');
      const { status } = await api.call(method, path, method === 'GET' ? undefined : {}, bearer(key));
      const may = scope === 'admin' || allowed.includes(route);
      expect([route, status === 403]).toEqual([route, !may]);
    }
  });
});

const OpenApi = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
});

describe('a key that is limited to an account', () => {
  it('neither sees nor touches another account over any route', async () => {
    const api = await startGuarded();
    for (const account of ['acme', 'rival']) await api.addAccount(account);
    const own = await enqueueFor(api, 'acme');
    const foreign = await enqueueFor(api, 'rival', { secret: 'of-the-rival' });
    const { key } = await api.create({
      ...{ name: 'acme only', accounts: ['acme'], scopes: ['read', 'enqueue', 'operate', 'admin'] },
    });
    const before = await api.call('GET', `/v1/publishes/${foreign}`, undefined, ADMIN);
    const accountBefore = await api.call('GET', '/v1/accounts/rival', undefined, ADMIN);
    const document = await api.call('GET', '/openapi.json');
    expect([document.status, document.text]).toEqual([200, expect.stringContaining('"paths"')]);
    const { paths } = OpenApi.parse(document.body);
    const routes = Object.entries(paths).flatMap(([path, methods]) => {
      return Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path }));
    });
    expect(routes.length).toBeGreaterThan(20);
    const end = new AbortController();
    for (const { method, path } of routes) {
      const address = path.replace('{account}', 'rival').replace('{id}', foreign);
      const body = { ...PULL_REQUEST, account: 'rival', openId: 'x', accessToken: 'act.x' };
      const bodies = method === 'GET' ? [undefined] : [body, { account: 'rival' }, {}, undefined];
      for (const each of bodies) {
        const answer = await fetch(`${api.url}${address}`, {
          ...{ method, signal: end.signal },
          headers: { ...bearer(key), ...(each !== undefined && { 'content-type': 'application/json' }) },
          ...(each !== undefined && { body: JSON.stringify(each) }),
        });
        const isStream = answer.headers.get('content-type')?.includes('event-stream') === true;
        const text = isStream ? '' : await answer.text();
        expect([method, path, text]).not.toEqual([method, path, expect.stringMatching(/of-the-rival|user-rival/)]);
        if (path.includes('{')) expect([method, path, answer.ok]).toEqual([method, path, false]);
        if (method === 'POST' && each === body) expect([path, answer.ok]).toEqual([path, false]);
      }
    }
    end.abort();
    expect((await api.call('GET', `/v1/publishes/${foreign}`, undefined, ADMIN)).body).toEqual(before.body);
    expect((await api.call('GET', '/v1/accounts/rival', undefined, ADMIN)).body).toEqual(accountBefore.body);
    const list = await api.call('GET', '/v1/publishes', undefined, bearer(key));
    expect(list.body).toMatchObject({ jobs: [{ id: own }] });
    const accounts = await api.call('GET', '/v1/accounts', undefined, bearer(key));
    expect(accounts.body).toMatchObject({ accounts: [{ account: 'acme' }] });
    const cancelled = await api.call('POST', `/v1/publishes/${own}/cancel`, {}, bearer(key));
    expect(cancelled.body).toMatchObject({ state: 'cancelled' });
  });

  it('does not learn of the job of another account that an idempotency key stands for', async () => {
    const api = await startGuarded();
    const { key } = await api.create({ name: 'ours', scopes: ['enqueue', 'read'], accounts: ['ours'] });
    const taken = { 'idempotency-key': 'spring-7' };
    const theirs = await api.call(
      'POST',
      '/v1/publishes',
      { ...PULL_REQUEST, account: 'theirs' },
      { ...ADMIN, ...taken },
    );
    const { id } = z.looseObject({ id: z.string() }).parse(theirs.body);
    for (const path of ['/v1/publishes', '/v1/preflight']) {
      const request = { ...PULL_REQUEST, account: 'ours' };
      const ours = await api.call('POST', path, request, { ...bearer(key), ...taken });
      expect(ours.text).toContain('IDEMPOTENCY_CONFLICT');
      expect(ours.text).not.toContain(id);
    }
  });

  it('gets the events of its accounts alone', async () => {
    const api = await startGuarded();
    const { key } = await api.create({ name: 'two', accounts: ['acme', 'beta'], scopes: ['read'] });
    for (const account of ['acme', 'rival', 'beta']) await enqueueFor(api, account);
    const end = new AbortController();
    const answer = await fetch(`${api.url}/v1/events`, {
      headers: { ...bearer(key), 'last-event-id': '0-0' },
      signal: end.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? []) {
      text += decoder.decode(piece);
      if (text.includes('"account":"beta"')) break;
    }
    end.abort();
    expect(text).toContain('"account":"acme"');
    expect(text).not.toContain('rival');
  });

  it('lists the jobs of several accounts', async () => {
    const api = await startGuarded();
    const { key } = await api.create({ name: 'two', accounts: ['acme', 'beta'], scopes: ['read'] });
    for (const account of ['acme', 'rival', 'beta']) await enqueueFor(api, account);
    const list = await api.call('GET', '/v1/publishes', undefined, bearer(key));
    expect(list.body).toMatchObject({ jobs: [{ account: 'beta' }, { account: 'acme' }] });
    const foreign = await api.call('GET', '/v1/publishes?account=rival', undefined, bearer(key));
    expect(foreign.body).toMatchObject({ jobs: [] });
  });
});

describe('the audit trail', () => {
  it('tells who changed what, as it was and as it is, on the job and as a list', async () => {
    const api = await startGuarded();
    await api.addAccount('acme');
    const { key, id: keyId } = await api.create({ name: 'desk', scopes: ['read', 'enqueue', 'operate'] });
    const desk = bearer(key);
    const scheduledAt = '2100-01-01T00:00:00.000Z';
    const made = await api.call('POST', '/v1/publishes', { ...PULL_REQUEST, scheduledAt }, desk);
    const { id } = z.looseObject({ id: z.string() }).parse(made.body);
    await api.call('PATCH', `/v1/publishes/${id}`, { priority: 3 }, desk);
    await api.call('POST', `/v1/publishes/${id}/cancel`, {}, desk);
    expect((await api.call('POST', `/v1/publishes/${id}/retry`, {}, desk)).status).toBe(409);
    await api.call('POST', '/v1/accounts/acme/pause', {}, desk);
    await api.call('DELETE', `/v1/keys/${keyId}`, undefined, ADMIN);

    const { body } = await api.call('GET', `/v1/publishes/${id}`, undefined, ADMIN);
    expect(body).toMatchObject({
      timeline: [
        { event: 'queued', by: 'key desk' },
        { event: 'updated', priority: 3, by: 'key desk' },
        { event: 'cancelled', by: 'key desk' },
      ],
    });
    const trail = await api.call('GET', '/v1/audit', undefined, ADMIN);
    const line = { at: expect.any(String), id: expect.any(String) };
    expect(trail.body).toMatchObject({
      nextCursor: null,
      entries: [
        { ...line, by: 'API_KEYS 1', action: 'key.revoke', subject: keyId, before: { name: 'desk' }, after: null },
        {
          ...{ ...line, by: 'key desk', action: 'account.pause', subject: 'acme', account: 'acme' },
          ...{ before: { status: 'active' }, after: { status: 'paused' } },
        },
        {
          ...{ ...line, by: 'key desk', action: 'publish.cancel', subject: id, account: 'acme' },
          ...{ before: { state: 'scheduled' }, after: { state: 'cancelled' } },
        },
        {
          ...{ ...line, by: 'key desk', action: 'publish.update', subject: id, account: 'acme' },
          ...{ before: { priority: null }, after: { priority: 3 } },
        },
        { ...line, by: 'API_KEYS 1', action: 'key.create', subject: keyId, before: null, after: { name: 'desk' } },
        { ...line, action: 'account.connect', subject: 'acme', before: null, after: { status: 'active' } },
      ],
    });
    expect(trail.text).not.toContain(key);
  });

  it('is filtered, and read page by page', async () => {
    const api = await startGuarded();
    const ids = [await enqueueFor(api, 'acme'), await enqueueFor(api, 'beta'), await enqueueFor(api, 'acme')];
    for (const id of ids) await api.call('POST', `/v1/publishes/${id}/cancel`, {}, ADMIN);
    const subjects = async (query: string) => {
      const { body } = await api.call('GET', `/v1/audit?${query}`, undefined, ADMIN);
      const { entries, nextCursor } = z
        .looseObject({ entries: z.array(z.looseObject({ subject: z.string() })), nextCursor: z.string().nullable() })
        .parse(body);
      return { subjects: entries.map(({ subject }) => subject), nextCursor };
    };
    expect((await subjects('account=acme')).subjects).toEqual([ids[2], ids[0]]);
    expect((await subjects('action=publish.retry')).subjects).toEqual([]);
    const first = await subjects('limit=2');
    expect(first.subjects).toEqual([ids[2], ids[1]]);
    expect(await subjects(`limit=2&cursor=${first.nextCursor}`)).toEqual({ subjects: [ids[0]], nextCursor: null });
    const wrong = await api.call('GET', '/v1/audit?cursor=x', undefined, ADMIN);
    expect(wrong).toMatchObject({ status: 400, body: { problems: [{ path: 'cursor' }] } });
  });
});

it('a job that was made without a key in mind says so in its timeline', async () => {
  const api = await startApi();
  const id = await enqueue(api);
  const { body } = await api.call('GET', `/v1/publishes/${id}`);
  expect(body).toMatchObject({ timeline: [{ event: 'queued', by: 'this machine' }] });
});
