import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyRequest } from '../../../src/core/access.ts';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, SETTING_KEY, signedInAs, startBoardSite, VIEWER } from '../../support/board-site.ts';
import { startSite } from '../../support/connect-site.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';

let pipeline: Pipeline;
let site: WebServer;
let clients = 0;

beforeAll(async () => {
  pipeline = await startPipeline({ workers: false });
  site = await startBoardSite(pipeline);
});
afterAll(async () => {
  await site?.close();
  await pipeline?.close();
});

/** A browser, as far as sign-in is concerned: at an address of its own, with a cookie. */
function openBrowser(url = site.url) {
  clients += 1;
  const address = `192.0.2.${clients}`;
  let cookie = '';
  const send = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}${path}`, {
      ...{ redirect: 'manual', ...init },
      headers: { accept: 'text/html', 'x-forwarded-for': address, cookie, origin: url, ...init.headers },
    });
    const [set] = answer.headers.getSetCookie();
    if (set !== undefined) cookie = set.split(';', 1).join('');
    return { status: answer.status, set, location: answer.headers.get('location'), html: await answer.text() };
  };
  const act = (path: string, form: Record<string, string> = {}, headers = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(form), headers });
  return {
    get: (path: string) => send(path),
    act,
    signIn: (form: Record<string, string>) => act('/sign-in', form),
    cookie: () => cookie,
    takeCookie(other: string) {
      cookie = other;
    },
  };
}

async function createKey(request: Partial<KeyRequest> = {}) {
  const name = `key-${randomBytes(4).toString('hex')}`;
  return await pipeline.service.apiKeys.create({ name, scopes: ['read'], ...request }, 'a test');
}

describe('signing in', () => {
  it.each([
    ['the login of the board', { user: OPERATOR.user, password: OPERATOR.password }, `board ${OPERATOR.user} (admin)`],
    ['its read-only login', { user: VIEWER.user, password: VIEWER.password }, `board ${VIEWER.user} (read-only)`],
    ['a key of the settings', { key: SETTING_KEY }, 'API_KEYS 1 (admin)'],
  ])('works with %s, leads to what was asked for, and ends by signing out', async (_what, form, name) => {
    const browser = openBrowser();
    const asked = await browser.get('/publishes?state=failed');
    expect([asked.status, asked.location]).toEqual([303, '/sign-in?next=%2Fpublishes%3Fstate%3Dfailed']);
    const { status, location, set } = await browser.signIn({ ...form, next: '/publishes?state=failed' });
    expect([status, location]).toEqual([303, '/publishes?state=failed']);
    expect(set).toMatch(/^tiktok-publisher=.*; HttpOnly; SameSite=Lax$/);
    expect((await browser.get('/publishes')).html).toContain(name);
    const stolen = browser.cookie();
    expect((await browser.act('/sign-out')).location).toBe('/sign-in');
    browser.takeCookie(stolen);
    expect((await browser.get('/publishes')).status).toBe(303);
  });

  it('leads to no other site', async () => {
    const elsewhere = [
      '/connect/tiktok?link=theirs',
      '/%63onnect/tiktok?account=theirs',
      '/%2Fevil.example',
      '/%E0%A4%A',
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/.//evil.example',
      'javascript:1',
    ];
    for (const next of elsewhere) {
      const { location } = await openBrowser().signIn({ key: SETTING_KEY, next });
      expect(location).toMatch(/^\/((?!connect)[^/\\]|$)/);
    }
  });

  it('gives another session than the one that came, so that nobody can plant one', async () => {
    const { key } = await createKey();
    const [mallory, victim] = [openBrowser(), openBrowser()];
    await mallory.signIn({ key });
    victim.takeCookie(mallory.cookie());
    await victim.signIn({ key: SETTING_KEY });
    expect(victim.cookie()).not.toBe(mallory.cookie());
    expect((await mallory.get('/keys')).status).toBe(303);
  });

  it('is not possible from a page of another site, nor are changes', async () => {
    const browser = openBrowser();
    const foreign = { origin: 'https://evil.example' };
    expect((await browser.act('/sign-in', { key: SETTING_KEY }, foreign)).status).toBe(403);
    await browser.signIn({ key: SETTING_KEY });
    for (const path of ['/pause', '/keys', '/sign-out']) {
      const { status, html } = await browser.act(path, { name: 'x', scopes: 'admin' }, foreign);
      expect([status, html]).toEqual([403, expect.stringContaining('ORIGIN_REFUSED')]);
    }
  });

  it('stays possible on another server over the same Redis, whose data holds no key, password or session', async () => {
    const browser = openBrowser();
    await browser.signIn({ user: OPERATOR.user, password: OPERATOR.password });
    const other = await startBoardSite(pipeline);
    try {
      const there = openBrowser(other.url);
      there.takeCookie(browser.cookie());
      expect((await there.get('/accounts')).status).toBe(200);
    } finally {
      await other.close();
    }
    const stored = await pipeline.redis.keys(pipeline.keys.session('*'));
    const texts = await Promise.all(stored.map((key) => pipeline.redis.get(key)));
    const id = decodeURIComponent(browser.cookie()).split('=')[1]?.split('.')[0] ?? '';
    for (const secret of [OPERATOR.password, SETTING_KEY, id])
      expect([...stored, ...texts].join()).not.toContain(secret);
    for (const key of stored) expect(await pipeline.redis.pttl(key)).toBeLessThanOrEqual(12 * 3_600_000);
  });
});

describe('a session that somebody has damaged in Redis', () => {
  it.each(['{', '5', '{"proof":7}', '{"proof":"x","cookie":{"expires":"soon"}}'])('is none: %s', async (damaged) => {
    const { redis, keys } = pipeline;
    const browser = openBrowser();
    const earlier = await redis.keys(keys.session('*'));
    await browser.signIn({ key: SETTING_KEY });
    const [session = ''] = (await redis.keys(keys.session('*'))).filter((key) => !earlier.includes(key));
    await redis.set(session, damaged);
    const answer = await browser.get('/publishes');
    expect([answer.status, answer.location]).toEqual([303, '/sign-in?next=%2Fpublishes']);
    expect((await browser.get('/sign-in')).status).toBe(200);
  });
});

describe('a wrong key or login', () => {
  it('gets the page again, and after ten of them in a minute no answer at any door', async () => {
    const served = await startSite({ BOARD_USER: 'ops', BOARD_PASSWORD: 'a-good-password-1' });
    const browser = openBrowser(served.url);
    for (let count = 0; count < 5; count += 1) {
      const { status, html } = await browser.signIn({ user: 'ops', password: `guess ${count}` });
      expect([status, html]).toEqual([401, expect.stringContaining('This key or login is not valid.')]);
      const headers = signedInAs({ user: 'ops', password: `guess ${count}` });
      expect((await fetch(`${served.url}/connect/tiktok`, { headers })).status).toBe(401);
    }
    for (const path of ['/board', '/connect/tiktok']) {
      const headers = signedInAs({ user: 'ops', password: 'a-good-password-1' });
      const answer = await fetch(`${served.url}${path}`, { headers });
      expect([path, answer.status]).toEqual([path, 429]);
    }
    expect((await browser.signIn({ user: 'ops', password: 'a-good-password-1' })).status).toBe(429);
  });
});

describe('with an API key', () => {
  it('a session may do what the key may, as long as the key lives', async () => {
    const made = await createKey({ scopes: ['read'] });
    const browser = openBrowser();
    await browser.signIn({ key: made.key });
    const page = await browser.get('/accounts');
    expect(page.html).toContain(`key ${made.name} (read-only)`);
    for (const path of ['/keys', '/audit']) {
      expect(page.html).not.toContain(`href="${path}"`);
      expect([path, (await browser.get(path)).status]).toEqual([path, 403]);
    }
    for (const path of ['/accounts/pause', '/publishes/x/retry', '/keys', '/subscriptions']) {
      expect([path, (await browser.act(path, { account: 'acme' })).status]).toEqual([path, 403]);
    }
    await pipeline.service.apiKeys.revoke(made.id, 'a test');
    expect((await browser.get('/accounts')).status).toBe(303);
  });

  it('whose scope is to operate, one may pause an account and not make keys, and the audit trail says who did', async () => {
    const account = `creator-${randomBytes(4).toString('hex')}`;
    await pipeline.addAccount(account);
    const { key, name } = await createKey({ scopes: ['read', 'operate'] });
    const browser = openBrowser();
    await browser.signIn({ key });
    expect((await browser.act('/accounts/pause', { account })).status).toBe(303);
    expect((await browser.act('/keys', { name: 'more', scopes: 'admin' })).status).toBe(403);
    const { entries } = await pipeline.service.audit.list({ subject: account }, { limit: 5 });
    expect(entries).toMatchObject([{ action: 'account.pause', by: `key ${name}`, after: { status: 'paused' } }]);
    // The board can't tell who retries.
    const retry = await browser.act('/board', {});
    expect(retry.status).not.toBe(200);
  });

  it('that is limited to accounts, others do not exist on any page', async () => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => `${name}-${randomBytes(4).toString('hex')}`) as [
      string,
      string,
    ];
    for (const account of [ours, theirs]) await pipeline.addAccount(account);
    const media = { type: 'file', path: '/nowhere.mp4' } as const;
    const { id } = await pipeline.publisher.enqueue({ account: theirs, mode: 'inbox', media });
    const browser = openBrowser();
    await browser.signIn({ key: (await createKey({ scopes: ['read', 'operate'], accounts: [ours] })).key });
    for (const path of ['/', '/publishes', '/accounts']) {
      const { status, html } = await browser.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(html).not.toContain(theirs);
      expect(html).not.toContain(id);
    }
    expect((await browser.get('/accounts')).html).toContain(ours);
    for (const path of [`/publishes/${id}`, '/board', '/subscriptions', '/keys', '/audit']) {
      expect([path, (await browser.get(path)).status]).toEqual([path, path.startsWith('/publishes') ? 404 : 403]);
    }
    for (const path of [`/publishes/${id}/cancel`, '/subscriptions/replay']) {
      expect([path, (await browser.act(path)).status]).toEqual([path, path.startsWith('/publishes') ? 404 : 403]);
    }
    expect((await browser.act('/accounts/pause', { account: theirs })).status).toBe(404);
    await pipeline.publisher.pause({ reason: `${theirs} is down` });
    try {
      const { html } = await browser.get('/');
      expect(html).toMatch(/All publishing is paused<\/b> since [^,]+, until somebody resumes\.</);
      expect(html).not.toContain(theirs);
    } finally {
      await pipeline.publisher.resume();
    }
  });
});
