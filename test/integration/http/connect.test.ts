import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { openWorkers } from '../../../src/app/open-workers.ts';
import { goThroughConsent, newUser, openBrowser, type Site, startSite } from '../../support/connect-site.ts';
import { eventually } from '../../support/eventually.ts';
import { makeVideo } from '../../support/videos.ts';
import { request } from './raw-request.ts';

/** Every key of a test's own and what is in it, as one text. */
async function everythingStored({ redis, app }: Site): Promise<string> {
  const names = await redis.keys(`${app.config.queuePrefix}:*`);
  const reads: Record<string, (name: string) => Promise<unknown>> = {
    string: (name) => redis.get(name),
    hash: (name) => redis.hgetall(name),
    zset: (name) => redis.zrange(name, '0', '-1'),
    stream: (name) => redis.xrange(name, '-', '+'),
  };
  const values = await Promise.all(names.map(async (name) => await reads[await redis.type(name)]?.(name)));
  expect(values).not.toContain(undefined);
  return JSON.stringify([names, values]);
}

describe('connecting an account', () => {
  it('leads from a signed link to consent and back, and stores tokens that work', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { begun, consent, page } = await goThroughConsent(site.sign('acme'), 'open-id-1');
    expect(begun.status).toBe(302);
    expect(begun.headers.get('cache-control')).toBe('no-store');
    expect(begun.headers.get('set-cookie')).toMatch(
      /^tiktok-connect=[\w-]{43}; Path=\/connect\/tiktok\/callback; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    expect(Object.fromEntries(consent.searchParams)).toMatchObject({
      scope: 'video.publish,video.upload',
      redirect_uri: `${site.url}/connect/tiktok/callback`,
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
    const { page } = await goThroughConsent(site.sign('acme'), 'open-id-1');
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
    await goThroughConsent(site.sign('acme'), 'open-id-1');
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
    const { page } = await goThroughConsent(site.sign('acme'), 'open-id-1');
    expect(page.status).toBe(200);
    expect(await site.vault.get('acme')).toMatchObject({ status: 'active' });
    for (const { id } of jobs) {
      expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'in_inbox' });
    }
  });

  it('renews a user who is known by another name, whose old tokens TikTok may have stopped', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    await goThroughConsent(site.sign('acme'), 'open-id-1');
    const before = await site.vault.loadTokens('acme');
    const { page } = await goThroughConsent(site.sign('beta'), 'open-id-1');
    expect(page).toMatchObject({ status: 409, text: expect.stringContaining('already connected as <b>acme</b>') });
    expect(await site.vault.list()).toMatchObject([{ account: 'acme' }]);
    expect((await site.vault.loadTokens('acme')).accessToken).not.toBe(before.accessToken);
  });

  it('does not give one name to two users', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    newUser(site.simulator, 'open-id-2');
    await goThroughConsent(site.sign('acme'), 'open-id-1');
    const { page } = await goThroughConsent(site.sign('acme'), 'open-id-2');
    expect(page).toMatchObject({ status: 409, text: expect.stringContaining('INPUT_INVALID') });
    expect(page.text).toContain('expected open-id-1');
    expect(await site.vault.list()).toMatchObject([{ account: 'acme', openId: 'open-id-1' }]);
  });

  it('tells what TikTok says when the owner declines, as text and not as HTML', async () => {
    const site = await startSite();
    const browser = openBrowser();
    const { location } = await browser.visit(site.sign('acme'));
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
    const { location } = await browser.visit(site.sign('acme'));
    const state = new URL(location).searchParams.get('state') ?? '';
    const refused = await browser.visit(`${site.url}/connect/tiktok/callback?code=made-up&state=${state}`);
    expect(refused).toMatchObject({ status: 502, text: expect.stringContaining('AUTH_REAUTHORIZATION_REQUIRED') });
    expect(refused.text).toContain('Nothing was stored');
    site.simulator.faults.add({ endpoint: 'token', act: { kind: 'drop_after' } });
    const { page } = await goThroughConsent(site.sign('acme'), 'open-id-1');
    expect(page).toMatchObject({ status: 502, text: expect.stringContaining('TRANSPORT_NO_ANSWER') });
    expect(await site.vault.list()).toEqual([]);
  });

  it('keeps nothing readable of a begun connection, and forgets it', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const browser = openBrowser();
    const { location } = await browser.visit(site.sign('a-name-to-find'));
    const state = new URL(location).searchParams.get('state') ?? '';
    const stored = await everythingStored(site);
    expect(stored).not.toContain('a-name-to-find');
    expect(stored).not.toContain(state);
    const [key = ''] = await site.redis.keys(site.app.keys.connectState('*'));
    const remainingMs = await site.redis.pttl(key);
    expect(remainingMs).toBeGreaterThan(590_000);
    expect(remainingMs).toBeLessThanOrEqual(600_000);
    await goThroughConsent(site.sign('acme'), 'open-id-1');
    const storedInTheEnd = await everythingStored(site);
    const { accessToken, refreshTokens } = await site.vault.loadTokens('acme');
    for (const secret of [accessToken, ...refreshTokens, site.simulator.clientSecret]) {
      expect(storedInTheEnd).not.toContain(secret);
    }
  });
});

describe('the state of a connection', () => {
  it('works once', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const { callback, browser, begun } = await goThroughConsent(site.sign('acme'), 'open-id-1');
    expect(browser.cookies.get('tiktok-connect')).toBe('');
    await site.vault.remove('acme');
    const again = await browser.visit(callback);
    expect(again.status).toBe(400);
    // Even with the cookie kept.
    const state = new URL(begun.location).searchParams.get('state') ?? '';
    const kept = openBrowser();
    kept.cookies.set('tiktok-connect', state);
    expect(await kept.visit(callback)).toMatchObject({ status: 400, text: expect.stringContaining('Not connected') });
    expect(await site.vault.list()).toEqual([]);
  });

  it('works only in the browser that began, and trying elsewhere does not use it up', async () => {
    const site = await startSite();
    newUser(site.simulator, 'open-id-1');
    const browser = openBrowser();
    const { location } = await browser.visit(site.sign('acme'));
    const consented = await fetch(location, { redirect: 'manual' });
    const callback = consented.headers.get('location') ?? '';
    const other = openBrowser();
    expect((await other.visit(callback)).status).toBe(400);
    await other.visit(site.sign('beta'));
    expect((await other.visit(callback)).status).toBe(400);
    expect(await site.vault.list()).toEqual([]);
    expect((await browser.visit(callback)).status).toBe(200);
  });

  it.each(['', 'state=', 'state=x&state=y', 'code=c', `state=${'a'.repeat(43)}&code=c`, 'state=*&code=c'])(
    'is not made up: %s',
    async (query) => {
      const site = await startSite();
      const browser = openBrowser();
      browser.cookies.set('tiktok-connect', new URLSearchParams(query).get('state') ?? '');
      const page = await browser.visit(`${site.url}/connect/tiktok/callback?${query}`);
      expect(page).toMatchObject({ status: 400, text: expect.stringContaining('Not connected') });
    },
  );
});

describe('who may connect an account', () => {
  const page = '/connect/tiktok?account=acme';

  it('is who has a link, wherever they are, and only for its account', async () => {
    const site = await startSite({ HOST: '0.0.0.0', API_KEYS: 'k', PUBLIC_BASE_URL: 'https://a.example/tiktok' });
    const { port } = new URL(site.url);
    const from = (path: string) => request(`http://127.0.0.1:${port}${path}`, { host: 'a.example' });
    const link = new URL(site.sign('acme'));
    expect((await from(`${link.pathname}${link.search}`)).status).toBe(302);
    const altered = link.search.replace('acme', 'beta');
    expect(await from(`${link.pathname}${altered}`)).toMatchObject({
      status: 403,
      body: expect.stringContaining('no longer works'),
    });
    const old = new URL(site.sign('acme', -1));
    expect((await from(`${old.pathname}${old.search}`)).status).toBe(403);
    for (const stranger of [page, '/connect/tiktok', `${page}&expires=9999999999`]) {
      const refused = await from(stranger);
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'CONNECT_NEEDS_LINK' });
    }
  });

  it('begins at the public address, with a cookie for https', async () => {
    const site = await startSite({ PUBLIC_BASE_URL: 'https://a.example/tiktok' });
    const begun = await openBrowser().visit(site.sign('acme'));
    const redirectUri = new URL(begun.location).searchParams.get('redirect_uri');
    expect(redirectUri).toBe('https://a.example/tiktok/connect/tiktok/callback');
    expect(begun.headers.get('set-cookie')).toContain('; Path=/tiktok/connect/tiktok/callback; ');
    expect(begun.headers.get('set-cookie')).toContain('; Secure');
  });

  it('is nobody where no public address is known', async () => {
    const site = await startSite({ HOST: '0.0.0.0', API_KEYS: 'k' });
    const answer = await openBrowser().visit(site.sign('acme'));
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
      ...{ HOST: '0.0.0.0', API_KEYS: 'k', PUBLIC_BASE_URL: 'https://a.example' },
      ...{ BOARD_USER: 'ops', BOARD_PASSWORD: 'secret' },
    });
    const as = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` });
    expect((await request(`${site.url}${page}`, {})).status).toBe(401);
    expect((await request(`${site.url}${page}`, as('ops:wrong'))).status).toBe(401);
    expect((await request(`${site.url}${page}`, as('ops:secret'))).status).toBe(302);
    expect((await request(`${site.url}${page}`, { ...as('ops:secret'), 'sec-fetch-site': 'cross-site' })).status).toBe(
      403,
    );
    const link = site.sign('acme');
    expect((await request(link, {})).status).toBe(302);
  });

  it('is told what is missing, and which names cannot be', async () => {
    const bare = await startSite({ TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' });
    const unconfigured = await openBrowser().visit(bare.sign('acme'));
    expect(unconfigured).toMatchObject({ status: 503, text: expect.stringContaining('TIKTOK_CLIENT_KEY') });
    const site = await startSite();
    const unnamed = await openBrowser().visit(site.sign(''));
    expect(unnamed).toMatchObject({ status: 409, text: expect.stringContaining('INPUT_INVALID') });
  });
});
