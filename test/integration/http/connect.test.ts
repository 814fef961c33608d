import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { openApp } from '../../../src/app/open-app.ts';
import { openServer } from '../../../src/app/open-server.ts';
import { openMeasuredService } from '../../../src/app/open-service.ts';
import { openWorkers } from '../../../src/app/open-workers.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { goThroughConsent, newUser, openBrowser, type Site, startSite } from '../../support/connect-site.ts';
import { eventually } from '../../support/eventually.ts';
import { makeVideo } from '../../support/videos.ts';
import { request } from './raw-request.ts';

type Browser = ReturnType<typeof openBrowser>;

/** Every key of a test's own and what is in it, as one text. */
async function everythingStored({ redis, app }: Site): Promise<string> {
  const names = await redis.keys(`${app.config.queuePrefix}:*`);
  const reads: Record<string, (name: string) => Promise<unknown>> = {
    string: (name) => redis.get(name),
    hash: (name) => redis.hgetall(name),
    zset: (name) => redis.zrange(name, '0', '-1'),
    stream: (name) => redis.xrange(name, '-', '+'),
    list: (name) => redis.lrange(name, 0, -1),
  };
  const values = await Promise.all(names.map(async (name) => await reads[await redis.type(name)]?.(name)));
  expect(values).not.toContain(undefined);
  return JSON.stringify([names, values]);
}

describe('connecting an account', () => {
  it('leads from a link to consent and back, and stores tokens that work', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { begun, consent, page } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    expect(begun.status).toBe(302);
    expect(begun.headers.get('cache-control')).toBe('no-store');
    expect(begun.headers.get('set-cookie')).toMatch(
      /^tiktok-connect-[\w-]{8}=[\w-]{43}; Path=\/connect\/tiktok\/callback; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    expect(Object.fromEntries(consent.searchParams)).toMatchObject({
      scope: 'video.publish,video.upload',
      redirect_uri: `${site.url}/connect/tiktok/callback`,
      disable_auto_auth: '1',
      code_challenge: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('connected as <b>acme</b>') });
    expect(page.text).toContain('<code>video.publish</code>, <code>video.upload</code>');
    expect(page.text).not.toContain('Not granted');
    expect(await site.vault.get('acme')).toMatchObject({ openId: 'open-id-1', status: 'active' });
    const { accessToken, refreshTokens } = await site.vault.loadTokens('acme');
    const granted = site.simulator.journal.entries.filter(({ endpoint }) => endpoint === 'token');
    expect(granted).toMatchObject([{ code: 'ok', openId: 'open-id-1' }]);
    expect([accessToken, ...refreshTokens]).toEqual([expect.stringMatching(/^act\./), expect.stringMatching(/^rft\./)]);
  });

  it('names what the owner did not grant', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1', ['video.upload']);
    const { page } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    expect(page.text).toContain('Not granted: <code>video.publish</code></b>, so direct posts will fail');
    expect(page.text).not.toContain('Not granted: <code>video.upload');
    expect(await site.vault.get('acme')).toMatchObject({ scope: 'video.upload' });
  });

  it('takes the open_id for a name on this machine, where no link is needed', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { page } = await goThroughConsent(`${site.url}/connect/tiktok`, 'open-id-1');
    expect(page.status).toBe(200);
    expect(await site.vault.list()).toMatchObject([{ account: 'open-id-1', openId: 'open-id-1' }]);
  });

  it('connects again an account whose owner had withdrawn, and its jobs go on at once', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    await goThroughConsent(await site.link('acme'), 'open-id-1');
    await site.vault.markReauthorizationRequired('acme', { reason: 'withdrawn' });
    await openWorkers(site);
    const publisher = createPublisherFromConfig(site.app.config);
    const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-connect-'));
    onTestFinished(async () => {
      await publisher.close();
      await rm(folder, { recursive: true });
    });
    const media = { type: 'file', path: await makeVideo(folder, 10_000) } as const;
    const requests = ['acme', 'open-id-1'].map((account) => ({ account, mode: 'inbox', media }) as const);
    const jobs = await Promise.all(requests.map((request) => publisher.enqueue(request)));
    for (const { id } of jobs) {
      const waitingFor = expect.stringMatching(/^(reauthorization|slot)$/);
      await eventually(async () => expect(await publisher.get(id)).toMatchObject({ waitingFor }));
    }
    const { page } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    expect(page.status).toBe(200);
    expect(await site.vault.get('acme')).toMatchObject({ status: 'active' });
    for (const { id } of jobs) {
      expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'in_inbox' });
    }
  });

  it('F10: renews a user who is known by another name, whose old tokens TikTok may have stopped', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    await goThroughConsent(await site.link('acme'), 'open-id-1');
    const before = await site.vault.loadTokens('acme');
    const { page } = await goThroughConsent(await site.link('beta'), 'open-id-1');
    expect(page).toMatchObject({ status: 409, text: expect.stringContaining('already connected as <b>acme</b>') });
    expect(await site.vault.list()).toMatchObject([{ account: 'acme' }]);
    expect((await site.vault.loadTokens('acme')).accessToken).not.toBe(before.accessToken);
  });

  it('does not give one name to two users', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    newUser(site.simulator, 'open-id-2');
    await goThroughConsent(await site.link('acme'), 'open-id-1');
    const { page } = await goThroughConsent(await site.link('acme'), 'open-id-2');
    expect(page).toMatchObject({ status: 409, text: expect.stringContaining('INPUT_INVALID') });
    expect(page.text).toContain('expected open-id-1');
    expect(await site.vault.list()).toMatchObject([{ account: 'acme', openId: 'open-id-1' }]);
  });

  it('tells what TikTok says when the owner declines, as text and not as HTML', async () => {
    const site = await startSite();
    const browser = openBrowser();
    const { location } = await browser.visit(await site.link('acme'));
    const state = new URL(location).searchParams.get('state') ?? '';
    const answer = { error: 'access_denied', error_description: '<script>alert(1)</script>', state };
    const page = await browser.visit(`${site.url}/connect/tiktok/callback?${new URLSearchParams(answer)}`);
    expect(page).toMatchObject({ status: 400, text: expect.stringContaining('access_denied: &lt;script&gt;') });
    expect(page.text).not.toContain('<script');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await site.vault.list()).toEqual([]);
  });

  it('tells when TikTok refuses the code or cannot be reached, and stores nothing', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const browser = openBrowser();
    const { location } = await browser.visit(await site.link('acme'));
    const state = new URL(location).searchParams.get('state') ?? '';
    const refused = await browser.visit(`${site.url}/connect/tiktok/callback?code=made-up&state=${state}`);
    expect(refused).toMatchObject({ status: 502, text: expect.stringContaining('AUTH_REAUTHORIZATION_REQUIRED') });
    expect(refused.text).toContain('Nothing was stored');
    site.simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    const { page } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    expect(page).toMatchObject({ status: 502, text: expect.stringContaining('TRANSPORT_NO_ANSWER') });
    expect(await site.vault.list()).toEqual([]);
  });

  it('keeps nothing readable of a begun connection, and forgets it', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const browser = openBrowser();
    const { location } = await browser.visit(await site.link('a-name-to-find'));
    const state = new URL(location).searchParams.get('state') ?? '';
    const stored = await everythingStored(site);
    expect(stored).not.toContain('a-name-to-find');
    expect(stored).not.toContain(state);
    const [key = ''] = await site.redis.keys(site.app.keys.connectState('*'));
    const remainingMs = await site.redis.pttl(key);
    expect(remainingMs).toBeGreaterThan(590_000);
    expect(remainingMs).toBeLessThanOrEqual(600_000);
    await goThroughConsent(await site.link('acme'), 'open-id-1');
    const storedInTheEnd = await everythingStored(site);
    const { accessToken, refreshTokens } = await site.vault.loadTokens('acme');
    for (const secret of [accessToken, ...refreshTokens, site.simulator.clientSecret]) {
      expect(storedInTheEnd).not.toContain(secret);
    }
  });
});

describe('a connect link', () => {
  it('connects once, and is used up by that alone', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    newUser(site.simulator, 'open-id-2');
    const link = await site.link('acme');
    const [first, second] = [openBrowser(), openBrowser()];
    await first.visit(link);
    const begun = await second.visit(link);
    expect(begun.status).toBe(302);
    expect((await goThroughConsent(link, 'open-id-1', first)).page.status).toBe(200);
    // Who began before that comes too late, and who comes now cannot begin.
    const state = new URL(begun.location).searchParams.get('state') ?? '';
    const late = await second.visit(`${site.url}/connect/tiktok/callback?code=c&state=${state}`);
    expect(late).toMatchObject({ status: 403, text: expect.stringContaining('no longer works') });
    expect(await first.visit(link)).toMatchObject({ status: 403, text: expect.stringContaining('no longer works') });
    expect(site.simulator.journal.requests({ endpoint: 'token' })).toHaveLength(1);
    expect(await site.vault.list()).toMatchObject([{ account: 'acme', openId: 'open-id-1' }]);
  });

  it('works again for who took the wrong TikTok user, said no, or met an outage of TikTok', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    newUser(site.simulator, 'open-id-2');
    newUser(site.simulator, 'open-id-3');
    await goThroughConsent(await site.link('acme'), 'open-id-1');
    await goThroughConsent(await site.link('beta'), 'open-id-2');
    await site.vault.markReauthorizationRequired('acme', { reason: 'withdrawn' });
    const link = await site.link('acme');
    expect((await goThroughConsent(link, 'open-id-2')).page.status).toBe(409);
    expect((await goThroughConsent(link, 'open-id-3')).page.status).toBe(409);
    const browser = openBrowser();
    const state = new URL((await browser.visit(link)).location).searchParams.get('state') ?? '';
    const declined = `${site.url}/connect/tiktok/callback?error=access_denied&state=${state}`;
    expect((await browser.visit(declined)).status).toBe(400);
    site.simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    expect((await goThroughConsent(link, 'open-id-1')).page.status).toBe(502);
    const { page } = await goThroughConsent(link, 'open-id-1');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('It had been connected before') });
    expect(await site.vault.get('acme')).toMatchObject({ openId: 'open-id-1', status: 'active' });
  });

  it('ends at its time', async () => {
    const site = await startSite();
    const link = await site.link('acme', { expiresInMs: 120_000 });
    const [key = ''] = await site.redis.keys(site.app.keys.connectLink('*'));
    const remainingMs = await site.redis.pttl(key);
    expect(remainingMs).toBeGreaterThan(60_000);
    expect(remainingMs).toBeLessThanOrEqual(120_000);
    await site.redis.pexpire(key, '0');
    expect(await openBrowser().visit(link)).toMatchObject({
      status: 403,
      text: expect.stringContaining('has expired'),
    });
  });

  it('is not readable in Redis, and cannot be made there', async () => {
    const site = await startSite();
    const link = await site.link('a-name-to-find');
    const stored = await everythingStored(site);
    expect(stored).not.toContain('a-name-to-find');
    expect(stored).not.toContain(new URL(link).searchParams.get('link'));
    // What is sealed for one link is of no use for another.
    const [key = ''] = await site.redis.keys(site.app.keys.connectLink('*'));
    const token = 'a'.repeat(43);
    const forged = site.app.keys.connectLink(createHash('sha256').update(token).digest('hex'));
    await site.redis.set(forged, (await site.redis.get(key)) ?? '');
    const page = await openBrowser().visit(`${site.url}/connect/tiktok?link=${token}`);
    expect(page).toMatchObject({ status: 502, text: expect.stringContaining('INTERNAL_TAMPERED') });
  });

  it('names the TikTok user who was connected', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { page } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    const { nickname, username } = await site.askCreator('acme');
    expect(page.text).toContain(`<b>${nickname} (@${username})</b> is connected as <b>acme</b>`);
    expect(page.text).not.toContain('before');
  });
});

describe('a connect link with a returnTo', () => {
  const APP = 'https://app.example.com';
  const returnTo = `${APP}/settings?tab=tiktok&outcome=mine#top`;

  async function startReturning() {
    const site = await startSite({ CONNECT_RETURN_ORIGINS: `${APP}, http://localhost:5000/` });
    newUser(site.simulator, 'open-id-1');
    return { site, link: await site.link('acme', { returnTo }) };
  }

  function returned({ status, location, headers }: Awaited<ReturnType<Browser['visit']>>) {
    expect(status).toBe(302);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    const { origin, pathname, searchParams, hash } = new URL(location);
    expect([origin, pathname, hash]).toEqual([APP, '/settings', '#top']);
    return Object.fromEntries(searchParams);
  }

  /** Comes back from TikTok's consent page with an answer of one's own. */
  async function answer(site: Site, link: string, fields: Record<string, string>) {
    const browser = openBrowser();
    const state = new URL((await browser.visit(link)).location).searchParams.get('state') ?? '';
    return await browser.visit(`${site.url}/connect/tiktok/callback?${new URLSearchParams({ ...fields, state })}`);
  }

  it('leads back to the app, which is told what happened and no secret', async () => {
    const { site, link } = await startReturning();
    expect(returned(await answer(site, link, { error: 'access_denied', error_description: 'no' }))).toEqual({
      ...{ tab: 'tiktok', account: 'acme', outcome: 'denied', code: 'ACCESS_DENIED' },
    });
    expect(returned(await answer(site, link, { error: 'server_error' }))).toMatchObject({
      ...{ outcome: 'failed', code: 'CONSENT_FAILED' },
    });
    expect(returned(await answer(site, link, { code: 'made-up' }))).toMatchObject({
      ...{ outcome: 'failed', code: 'AUTH_REAUTHORIZATION_REQUIRED' },
    });
    const { page } = await goThroughConsent(link, 'open-id-1');
    expect(returned(page)).toEqual({ tab: 'tiktok', account: 'acme', outcome: 'connected' });
    expect(await site.vault.get('acme')).toMatchObject({ openId: 'open-id-1' });
    // Where this link led is forgotten with it.
    expect((await openBrowser().visit(link)).status).toBe(403);
  });

  it('tells the app of scopes that are missing, and of a user who has another name, without that name', async () => {
    const { site, link } = await startReturning();
    newUser(site.simulator, 'open-id-2', ['video.upload']);
    await goThroughConsent(await site.link('beta'), 'open-id-2');
    expect(returned((await goThroughConsent(link, 'open-id-2')).page)).toEqual({
      ...{ tab: 'tiktok', account: 'acme', outcome: 'failed', code: 'ALREADY_CONNECTED' },
    });
    newUser(site.simulator, 'open-id-3', ['video.upload']);
    expect(returned((await goThroughConsent(link, 'open-id-3')).page)).toMatchObject({
      ...{ outcome: 'connected', code: 'AUTH_SCOPE_MISSING' },
    });
  });

  it('is no way to send browsers to places that the operator has not listed', async () => {
    const { site, link } = await startReturning();
    for (const elsewhere of [
      'https://evil.example/',
      'https://app.example.com.evil.example/',
      'https://app.example.com@evil.example/',
      'https://user:password@app.example.com/',
      'http://app.example.com/',
      'https://app.example.com:8443/',
      'javascript:alert(1)',
      '//evil.example',
    ]) {
      await expect(site.link('acme', { returnTo: elsewhere })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        details: { problems: [{ path: 'returnTo' }] },
      });
    }
    // Nor does the query of a request count, or an answer without its state.
    const evil = new URLSearchParams({ returnTo: 'https://evil.example/' });
    for (const address of [`${link}x&${evil}`, `${site.url}/connect/tiktok/callback?error=access_denied&${evil}`]) {
      const refused = await openBrowser().visit(address);
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(refused.location).toBe('');
    }
  });

  it('ends on a page when the web server no longer lists its origin', async () => {
    const { site, link } = await startReturning();
    const { CONNECT_RETURN_ORIGINS: _, ...env } = site.env as Record<string, string>;
    const app = await openApp(loadConfig(env));
    onTestFinished(app.close);
    const { url } = await openServer(await openMeasuredService(app));
    const { page } = await goThroughConsent(link.replace(site.url, url), 'open-id-1');
    expect(page).toMatchObject({ status: 200, location: '', text: expect.stringContaining('is connected as') });
  });
});

describe('the connect pages', () => {
  it('carry the name, logo and colour of their operator, and load nothing but the logo', async () => {
    const site = await startSite({
      ...{ CONNECT_PAGE_NAME: 'Acme & <Sons>', CONNECT_PAGE_COLOR: '#0F766E' },
      CONNECT_PAGE_LOGO: 'https://cdn.example.com/logo.png?v=2',
    });
    const page = await openBrowser().visit(`${site.url}/connect/tiktok?link=x`);
    expect(page.text).toContain('<title>This link no longer works – Acme &amp; &lt;Sons&gt;</title>');
    expect(page.text).toContain('<b>Acme &amp; &lt;Sons&gt;</b>');
    expect(page.text).toContain('<img src="https://cdn.example.com/logo.png?v=2" alt="">');
    expect(page.text).toContain('background: #0F766E; color: #fff');
    const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    expect(page.headers.get('content-security-policy')).toBe(`${policy}; img-src https://cdn.example.com/logo.png`);
    // The operator's own pages stay as they are.
    const home = await openBrowser().visit(site.url);
    expect(home.text).not.toContain('Sons');
    expect(home.headers.get('content-security-policy')).toBe(policy);
  });
});

describe('the state of a connection', () => {
  it('works once', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { callback, browser, begun } = await goThroughConsent(await site.link('acme'), 'open-id-1');
    expect([...browser.cookies.values()]).toEqual(['']);
    await site.vault.remove('acme');
    const again = await browser.visit(callback);
    expect(again.status).toBe(400);
    // Even with the cookie kept.
    const state = new URL(begun.location).searchParams.get('state') ?? '';
    const kept = openBrowser();
    kept.cookies.set(`tiktok-connect-${state.slice(0, 8)}`, state);
    expect(await kept.visit(callback)).toMatchObject({ status: 400, text: expect.stringContaining('Not connected') });
    expect(await site.vault.list()).toEqual([]);
  });

  it('works only in the browser that began, and trying elsewhere does not use it up', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const browser = openBrowser();
    const { location } = await browser.visit(await site.link('acme'));
    const consented = await fetch(location, { redirect: 'manual' });
    const callback = consented.headers.get('location') ?? '';
    const other = openBrowser();
    expect((await other.visit(callback)).status).toBe(400);
    await other.visit(await site.link('beta'));
    expect((await other.visit(callback)).status).toBe(400);
    expect(await site.vault.list()).toEqual([]);
    expect((await browser.visit(callback)).status).toBe(200);
  });

  it('leaves those of other tabs of the browser alone', async () => {
    const site = await startSite();
    const browser = openBrowser();
    const begun = [];
    for (const account of ['acme', 'beta']) {
      newUser(site.simulator, `user-of-${account}`);
      const consent = new URL((await browser.visit(await site.link(account))).location);
      consent.searchParams.set('open_id', `user-of-${account}`);
      begun.push(consent);
    }
    for (const consent of begun) {
      const consented = await fetch(consent, { redirect: 'manual' });
      expect((await browser.visit(consented.headers.get('location') ?? '')).status).toBe(200);
    }
    const accounts = (await site.vault.list()).map(({ account, openId }) => [account, openId]);
    expect(new Map(accounts as [string, string][])).toEqual(
      new Map([
        ['acme', 'user-of-acme'],
        ['beta', 'user-of-beta'],
      ]),
    );
  });

  it.each(['', 'state=', 'state=x&state=y', 'code=c', `state=${'a'.repeat(43)}&code=c`, 'state=*&code=c'])(
    'is not made up: %s',
    async (query) => {
      const site = await startSite();
      const browser = openBrowser();
      const state = new URLSearchParams(query).get('state') ?? '';
      browser.cookies.set(`tiktok-connect-${state.slice(0, 8)}`, state);
      const page = await browser.visit(`${site.url}/connect/tiktok/callback?${query}`);
      expect(page).toMatchObject({ status: 400, text: expect.stringContaining('Not connected') });
    },
  );
});

describe('who may connect an account', () => {
  const page = '/connect/tiktok?account=acme';

  it('is who has a link, wherever they are, and only for its account', async () => {
    const site = await startSite({
      HOST: '0.0.0.0',
      API_KEYS: 'key-of-this-test',
      PUBLIC_BASE_URL: 'https://a.example/tiktok',
    });
    const { port } = new URL(site.url);
    const from = (path: string) => request(`http://127.0.0.1:${port}${path}`, { host: 'a.example' });
    const link = new URL(await site.link('acme'));
    expect((await from(`${link.pathname}${link.search}`)).status).toBe(302);
    for (const altered of [link.search.slice(0, -1), '?link=', `?link=${'a'.repeat(43)}`, '?link=*&account=acme']) {
      expect(await from(`${link.pathname}${altered}`)).toMatchObject({
        status: 403,
        body: expect.stringContaining('no longer works'),
      });
    }
    for (const stranger of [page, '/connect/tiktok', `${page}&expires=9999999999`]) {
      const refused = await from(stranger);
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'CONNECT_NEEDS_LINK' });
    }
  });

  it('begins at the public address, with a cookie for https', async () => {
    const site = await startSite({ PUBLIC_BASE_URL: 'https://a.example/tiktok' });
    const begun = await openBrowser().visit(await site.link('acme'));
    const redirectUri = new URL(begun.location).searchParams.get('redirect_uri');
    expect(redirectUri).toBe('https://a.example/tiktok/connect/tiktok/callback');
    expect(begun.headers.get('set-cookie')).toContain('; Path=/tiktok/connect/tiktok/callback; ');
    expect(begun.headers.get('set-cookie')).toContain('; Secure');
  });

  it('is nobody where no public address is known', async () => {
    const site = await startSite({ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test' });
    const answer = await openBrowser().visit(await site.link('acme'));
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'CONNECT_NOT_CONFIGURED' });
  });

  it('is who is on this machine, but no page of another site and nobody behind a proxy', async () => {
    const site = await startSite();
    const { port } = new URL(site.url);
    const asked = async (headers: Record<string, string>) => (await request(`${site.url}${page}`, headers)).status;
    expect(await asked({})).toBe(302);
    expect(await asked({ host: `localhost:${port}`, 'sec-fetch-site': 'none' })).toBe(302);
    expect(await asked({ host: `evil.example:${port}` })).toBe(403);
    expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await asked({ 'x-forwarded-for': '192.0.2.1' })).toBe(403);
    expect(await asked({ forwarded: 'for=192.0.2.1' })).toBe(403);
  });

  it("is who knows the board's login, everywhere", async () => {
    const site = await startSite({
      ...{ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test', PUBLIC_BASE_URL: 'https://a.example' },
      ...{ BOARD_USER: 'ops', BOARD_PASSWORD: 'long enough secret' },
    });
    const as = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` });
    expect((await request(`${site.url}${page}`, {})).status).toBe(401);
    expect((await request(`${site.url}${page}`, as('ops:wrong'))).status).toBe(401);
    expect((await request(`${site.url}${page}`, as('ops:long enough secret'))).status).toBe(302);
    expect(
      (await request(`${site.url}${page}`, { ...as('ops:long enough secret'), 'sec-fetch-site': 'cross-site' })).status,
    ).toBe(403);
    const link = await site.link('acme');
    expect((await request(link, {})).status).toBe(302);
  });

  it('is told what is missing, and which names cannot be', async () => {
    const bare = await startSite({ TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' });
    const unconfigured = await openBrowser().visit(await bare.link('acme'));
    expect(unconfigured).toMatchObject({ status: 503, text: expect.stringContaining('TIKTOK_CLIENT_KEY') });
    const site = await startSite();
    const unnamed = await openBrowser().visit(`${site.url}/connect/tiktok?account=`);
    expect(unnamed).toMatchObject({ status: 409, text: expect.stringContaining('INPUT_INVALID') });
  });
});
