import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeliveryLog } from '../../../src/callbacks/delivery-log.ts';
import { createDisabledUrls } from '../../../src/callbacks/disabled-urls.ts';
import type { WebServer } from '../../../src/http/start-server.ts';
import { startApi } from '../../support/api-site.ts';
import { OPERATOR, signedInAs, startBoardSite, VIEWER } from '../../support/board-site.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const operator = { ...signedInAs(OPERATOR), accept: 'text/html' };
const viewer = { ...signedInAs(VIEWER), accept: 'text/html' };
const WAIT = { timeoutMs: 90_000 };
const PAGES = ['/', '/publishes', '/operations', '/accounts', '/subscriptions', '/keys', '/audit'];
const ACTIONS = [
  ...['/publishes/x/retry', '/publishes/x/cancel', '/accounts/pause', '/accounts/resume', '/accounts/connect-link'],
  ...[
    '/subscriptions',
    '/subscriptions/test',
    '/subscriptions/delete',
    '/subscriptions/resume',
    '/subscriptions/replay',
  ],
  ...['/keys', '/keys/revoke', '/pause', '/resume', '/operations', '/operations/x/abort'],
];

let pipeline: Pipeline;
let site: WebServer;
let video: string;

beforeAll(async () => {
  const callbackSecrets = [`whsec_${randomBytes(32).toString('base64')}`];
  pipeline = await startPipeline({ simulator: { processingMs: 20 }, preflight: 'refuse', callbackSecrets });
  site = await startBoardSite(pipeline);
  video = await makeVideo(pipeline.folder, 1_000);
});
afterAll(async () => {
  await site?.close();
  await pipeline?.close();
});

async function get(path: string, headers: Record<string, string> = operator) {
  const answer = await fetch(`${site.url}${path}`, { headers });
  return { status: answer.status, headers: answer.headers, html: await answer.text() };
}

/** Sends a form as a browser does, and goes where it is sent. */
async function act(
  path: string,
  form: Record<string, string> | [string, string][] = {},
  headers: Record<string, string> = operator,
) {
  const answer = await fetch(`${site.url}${path}`, {
    ...{ method: 'POST', redirect: 'manual', headers: { origin: site.url, ...headers } },
    body: new URLSearchParams(form),
  });
  return {
    status: answer.status,
    location: answer.headers.get('location'),
    headers: answer.headers,
    html: await answer.text(),
  };
}

const newAccount = async () => {
  const account = `creator-${randomBytes(4).toString('hex')}`;
  const { openId } = await pipeline.addAccount(account);
  return { account, openId };
};

/** A job that TikTok failed, whose next try will do. */
async function failedJob({ title = 'A title', campaign = 'none' } = {}): Promise<string> {
  const { account, openId } = await newAccount();
  const fault = { kind: 'fail_processing', failReason: 'file_format_check_failed' } as const;
  pipeline.simulator.faults.add({ endpoint: 'video_init', when: { openId }, act: fault });
  const { id } = await pipeline.publisher.enqueue({
    ...{ account, mode: 'direct', media: { type: 'file', path: video }, metadata: { campaign } },
    post: { title, privacyLevel: 'SELF_ONLY' },
  });
  expect(await pipeline.publisher.waitForCompletion(id, WAIT)).toMatchObject({ state: 'failed' });
  return id;
}

/** A job that waits for its time. */
async function scheduledJob(account = 'acme'): Promise<string> {
  const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
  const media = { type: 'file', path: video } as const;
  const post = { privacyLevel: 'SELF_ONLY' } as const;
  return (await pipeline.publisher.enqueue({ account, mode: 'direct', media, post, scheduledAt })).id;
}

describe('the search', () => {
  it('has the filters of the API in its address and finds a job by its metadata', async () => {
    const campaign = `spring-${randomBytes(4).toString('hex')}`;
    const id = await failedJob({ campaign, title: 'Hello' });
    const { status, html } = await get(`/publishes?state=failed&metadata.campaign=${campaign}`);
    expect(status).toBe(200);
    expect(html).toContain(`<a href="/publishes/${id}">Hello</a>`);
    expect(html).toContain('TIKTOK_MEDIA_FORMAT');
    expect(html).not.toContain('>failed: ');
    expect(html).toContain(`value="${campaign}"`);
    expect((await get(`/publishes?state=published&metadata.campaign=${campaign}`)).html).toContain(
      'No publish job meets all of these.',
    );
  });

  it('takes what an empty form sends, and times of its fields as UTC', async () => {
    const id = await scheduledJob();
    const empty = 'account=&code=&waitingFor=&order=newest&metadata.campaign=&media=&publishId=';
    expect((await get(`/publishes?${empty}&createdFrom=2020-01-01T10:00`)).html).toContain(`/publishes/${id}`);
    expect((await get(`/publishes?${empty}&createdBefore=2020-01-01T10:00`)).html).not.toContain(`/publishes/${id}`);
  });

  it('has the address that the API takes, without what was left empty', async () => {
    const asked = '/publishes?account=&state=failed&state=unconfirmed&order=newest&media=&createdFrom=2020-01-01T10:00';
    const answer = await fetch(`${site.url}${asked}`, { headers: operator, redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      '/publishes?state=failed%2Cunconfirmed&order=newest&createdFrom=2020-01-01T10%3A00%3A00Z',
    ]);
    const tidy = await fetch(`${site.url}${answer.headers.get('location')}`, { headers: operator, redirect: 'manual' });
    expect(tidy.status).toBe(200);
  });

  it('says of each wrong filter what is wrong, above the form', async () => {
    for (const [query, words] of [
      ['state=broken', 'state: expected one of scheduled'],
      ['code=JOB_OVERDUE,broken', 'code: expected a name from the documentation'],
      ['metadata.colour=red', 'METADATA_INDEX'],
      ['cursor=nonsense', 'cursor'],
    ]) {
      const { status, html } = await get(`/publishes?${query}`);
      expect([query, status]).toEqual([query, 400]);
      expect(html).toContain('role="search"');
      expect(html.match(/role="alert">(.*)<\/p>/)?.[1]).toContain(words);
      // On a phone the form is longer than the screen.
      expect(html.indexOf('role="alert"')).toBeLessThan(html.indexOf('role="search"'));
    }
  });

  it('goes through the jobs page by page, with its filters', async () => {
    const { account } = await newAccount();
    const ids = [await scheduledJob(account), await scheduledJob(account), await scheduledJob(account)];
    const seen: string[] = [];
    let path: string | undefined = `/publishes?account=${account}&limit=2`;
    while (path !== undefined) {
      const { html }: { html: string } = await get(path);
      seen.push(...[...html.matchAll(/<td[^>]*><a href="\/publishes\/([\w-]+)"/g)].map(([, id = '']) => id));
      path = html.match(/href="([^"]+)">Next page/)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(seen).toEqual(ids.reverse());
  });
});

describe('a page of the console', () => {
  it.each(PAGES)('%s loads nothing, is not kept, cannot be framed, and is not for strangers', async (path) => {
    const { status, headers, html } = await get(path, path === '/keys' || path === '/audit' ? operator : viewer);
    expect(status).toBe(200);
    expect(html).toContain('aria-current="page"');
    expect(html).not.toMatch(/(href|src)="https?:/);
    expect(headers.get('cache-control')).toBe('no-store');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    if (path === '/') return;
    expect((await get(path, {})).status).toBe(401);
    expect((await get(path, { accept: 'text/html' })).html).toContain('<h1>Sign in</h1>');
  });

  it('shows what comes from outside as text, and hides what looks like a secret', async () => {
    const id = await failedJob({ title: `<script>alert(1)</script> act.${'x'.repeat(40)}` });
    for (const path of ['/publishes', `/publishes/${id}`, '/publishes?account="><script>alert(1)</script>']) {
      const { html } = await get(path);
      expect(html).not.toContain('<script>alert');
      expect(html).toContain('&lt;script&gt;alert(1)');
      expect(html).not.toContain('x'.repeat(40));
    }
  });

  it('of a job shows what its callback URL answered', async () => {
    const id = await failedJob();
    expect((await get(`/publishes/${id}`)).html).not.toContain('Deliveries to the callback URL');
    const log = createDeliveryLog({ redis: pipeline.redis, keys: pipeline.keys, retentionMs: 600_000 });
    await log.add(id, {
      ...{ at: new Date().toISOString(), eventId: `${id}-1`, type: 'publish.failed', attempt: 3, outcome: 'retried' },
      ...{ status: 503, durationMs: 12, code: 'CALLBACK_REFUSED', message: '<b>busy</b>' },
    });
    await log.add(id, {
      ...{ at: new Date().toISOString(), eventId: `${id}-2`, type: 'publish.failed', attempt: 1, outcome: 'failed' },
      ...{ status: null, durationMs: 0, code: 'CALLBACK_GONE', message: 'nothing was sent' },
    });
    const { html } = await get(`/publishes/${id}`);
    expect(html).toContain('>CALLBACK_GONE: nothing was sent<');
    expect(html).toContain('Deliveries to the callback URL');
    expect(html).toContain('HTTP 503, CALLBACK_REFUSED: &lt;b&gt;busy&lt;/b&gt;, 12 ms');
  });

  it('keeps the navigation where it is not for who is signed in', async () => {
    for (const path of ['/keys', '/operations/new?kind=retry&state=failed']) {
      const { status, html } = await get(path, viewer);
      expect([path, status]).toEqual([path, 403]);
      expect(html).toContain('API_KEY_FORBIDDEN');
      expect(html).toContain('<a href="/accounts">Accounts</a>');
    }
  });

  it('has no button for a viewer', async () => {
    const id = await failedJob();
    for (const path of [...PAGES, `/publishes/${id}`])
      expect((await get(path, viewer)).html).not.toContain('method="post"');
    expect((await get(`/publishes/${id}`)).html).toContain('method="post"');
  });
});

describe('the first page', () => {
  it('names each cause with its count, what to do, and the list behind it', async () => {
    const id = await failedJob();
    await scheduledJob();
    const { account } = await newAccount();
    await pipeline.publisher.accounts.pause(account);
    const { html } = await get('/');
    expect(html).toMatch(
      /<a href="\/publishes\?state=failed%2Cunconfirmed&amp;code=TIKTOK_MEDIA_FORMAT">\d+ publish jobs?</,
    );
    expect((await get('/publishes?state=failed%2Cunconfirmed&code=TIKTOK_MEDIA_FORMAT')).html).toContain(id);
    expect(html).toContain(`<b>${account}</b></a> is paused`);
    expect(html).toContain(`href="/accounts?account=${account}"`);
    expect(html).toMatch(/href="\/publishes\?state=scheduled">\d+ scheduled/);
    expect(html).toContain('tiktok-status');
  });

  it('says for which error of TikTok a worker paused an account, and what helps', async () => {
    const { account } = await newAccount();
    await pipeline.vault.pause(account, 'TIKTOK_USER_BANNED');
    const { html } = await get('/');
    expect(html).toContain(`<b>${account}</b></a> is paused for <code>TIKTOK_USER_BANNED</code>. No job waits yet.`);
    expect(html).toContain('The owner of the account must resolve this with TikTok');
    expect((await get(`/accounts?account=${account}`)).html).toContain('for <code>TIKTOK_USER_BANNED</code>');
    await pipeline.vault.resume(account);
  });

  it('has one safe action beside each cause, for those who may', async () => {
    const { account } = await newAccount();
    await pipeline.publisher.accounts.pause(account);
    const resume = new RegExp(`action="/accounts/resume"><input type="hidden" name="account" value="${account}"`);
    expect((await get('/')).html).toMatch(resume);
    const { html } = await get('/', viewer);
    expect(html).not.toMatch(resume);
    expect(html).not.toContain('Retry them');
    expect(html).toContain('See the account');
  });

  it('names a callback URL that answered 410, and what delivering again would do', async () => {
    const receiver = await startCallbackReceiver((response) => void response.writeHead(410).end());
    const { account } = await newAccount();
    const media = { type: 'file', path: '/nowhere.mp4' } as const;
    await pipeline.publisher.enqueue({ account, mode: 'inbox', media, callbackUrl: receiver.url });
    const worker = await pipeline.startWorkersWith({}, { only: ['events'] });
    await receiver.arrived(1);
    await worker.close({ timeoutMs: 10_000 });
    await receiver.close();
    await eventually(async () => {
      const { html } = await get('/');
      expect(html).toContain(`<b>${receiver.url}</b> answered 410 and gets nothing more.`);
      expect(html).toMatch(/\d events? could not be delivered. Those for a URL that answered 410 fail again/);
    });
  });

  it('shows how publishing goes, over an hour, a day and a week', async () => {
    const numberOf = (html: string) => Number(/Publishes ended<\/dt><dd>(\d+) /.exec(html)?.[1]);
    const before = numberOf((await get('/?range=week')).html);
    await failedJob();
    await eventually(async () => {
      const { html } = await get('/?range=week');
      if (numberOf(html) <= before) throw new Error('not counted yet');
      expect(html).toContain('aria-current="true">Last week');
      expect(html).toMatch(/<svg role="img" aria-label="Publishes ended. succeeded: [^"]+; failed: [^"]+"/);
    });
    for (const path of ['/', '/?range=day', '/?range=<b>']) expect((await get(path)).html).toMatch(/<rect class="bad"/);
  });

  it('pauses all publishing with a reason and an end, which every page shows, and resumes it', async () => {
    const paused = await act('/pause', { reason: 'TikTok <is> down', until: '2099-01-01T10:00' });
    expect([paused.status, paused.location]).toEqual([303, '/?done=all_paused']);
    try {
      for (const path of PAGES) {
        const { html } = await get(path);
        expect(html).toMatch(
          /All publishing is paused<\/b> since .* by board ops, until 2099-01-01 10:00:00Z. Reason: TikTok &lt;is&gt; down/,
        );
        expect(html).toContain('Resume all publishing');
      }
      expect((await get('/', viewer)).html).not.toContain('Resume all publishing');
      expect((await act('/pause', { until: '2020-01-01T10:00' })).status).toBe(400);
    } finally {
      await act('/resume');
    }
    // Nothing is paused any more: nothing is changed, so nothing stands in the audit trail.
    await act('/resume');
    expect((await get('/')).html).not.toContain('All publishing is paused');
    const { entries } = await pipeline.service.audit.list({ subject: 'publishing' }, { limit: 2 });
    expect(entries).toMatchObject([{ action: 'publishing.resume' }, { action: 'publishing.pause', by: 'board ops' }]);
  });

  it('puts failures that an operator has seen aside, until another one comes', async () => {
    await failedJob();
    const code = 'TIKTOK_MEDIA_FORMAT';
    const page = await get('/');
    expect(page.html).toMatch(new RegExp(`publish jobs?</a> ended with <code>${code}</code>`));
    const [, until = ''] =
      new RegExp(`value="${code}"><input type="hidden" name="until" value="([^"]+)"`).exec(page.html) ?? [];
    expect((await act('/failures/seen', { code, until }, viewer)).status).toBe(403);
    expect((await act('/failures/seen', { code: 'NO_CODE', until })).status).toBe(400);
    expect((await act('/failures/seen', { code, until: '2099-01-01T00:00:00Z' })).status).toBe(400);
    expect(await act('/failures/seen', { code, until })).toMatchObject({ status: 303, location: '/?done=seen' });
    const { html } = await get('/');
    expect(html).not.toContain(`ended with <code>${code}</code>`);
    expect(html).toMatch(new RegExp(`Seen, and not new: .*with <code>${code}</code>`));
    const { entries } = await pipeline.service.audit.list({ action: 'failures.seen' }, { limit: 1 });
    expect(entries).toMatchObject([{ by: 'board ops', subject: code, after: { seenUntil: until } }]);
    await failedJob();
    expect((await get('/')).html).toMatch(
      new RegExp(`ended with <code>${code}</code>. <a href="/publishes[^"]+endedFrom[^"]+">Some are new</a>`),
    );
  });

  it('keeps the navigation where a page cannot be shown', async () => {
    const { status, html } = await get('/publishes/no-such-job', { ...operator, accept: 'text/html' });
    expect(status).toBe(404);
    expect(html).toContain('<nav aria-label="Pages">');
    expect(html).toContain('JOB_NOT_FOUND');
  });

  it('shows of each account how much of its limits is used, its line and its last outcomes, on the page of accounts', async () => {
    const { account } = await newAccount();
    const enqueue = (mode: 'direct' | 'inbox') => {
      const media = { type: 'file', path: video } as const;
      const request = { account, media, onDuplicate: 'allow' } as const;
      return pipeline.publisher.enqueue(
        mode === 'inbox' ? { ...request, mode } : { ...request, mode, post: { privacyLevel: 'SELF_ONLY' } },
      );
    };
    const { id } = await enqueue('direct');
    await pipeline.publisher.waitForCompletion(id, WAIT);
    await pipeline.publisher.accounts.pause(account);
    await enqueue('inbox');
    await eventually(async () => {
      const { html } = await get(`/accounts?account=${account}`);
      expect(html).toContain('1 of about 15 posts in 24 hours');
      expect(html).toContain('direct init: 1 of 6 a minute');
      expect(html).toMatch(new RegExp(`href="/publishes/${id}" title="[^"]+"><span class="badge good">published`));
      expect(html).toMatch(/data-label="In line">\d with a turn, \d behind<br><a href="[^"]+">1<\/a> for/);
    });
    const page = await get(`/publishes/${id}`);
    expect(page.html).not.toContain('https://www.tiktok.com');
  });

  it('links a public post, on the page of its job', async () => {
    const { account } = await newAccount();
    const media = { type: 'file', path: video } as const;
    const post = { title: 'Public', privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
    const { id } = await pipeline.publisher.enqueue({ account, mode: 'direct', media, post });
    const { postUrls } = await pipeline.publisher.waitForCompletion(id, WAIT);
    expect(postUrls).toHaveLength(1);
    expect((await get(`/publishes/${id}`)).html).toContain(`<a href="${postUrls[0]}" rel="noreferrer">`);
  });

  it('is a list of links for programs and for who has not signed in, with the way to sign in', async () => {
    for (const headers of [{}, { accept: 'text/html' }]) {
      const { status, html } = await get('/', headers);
      expect(status).toBe(200);
      for (const path of ['/sign-in', '/board', '/docs', '/metrics', '/readyz', '/healthz']) {
        expect(html).toContain(`href="${path}"`);
      }
      expect(html).not.toContain('What needs a person');
    }
    const asked = await get('/accounts?status=paused', { accept: 'text/html' });
    expect(asked.html).toContain('<h1>Sign in</h1>');
    expect(asked.html).toContain('name="next" value="/accounts?status=paused"');
    expect((await get('/')).html).toContain('What needs a person');
  });

  it('is the console on this machine where there is no login, and the links for others', async () => {
    const api = await startApi();
    const browser = { accept: 'text/html' };
    const page = await (await fetch(`${api.url}/`, { headers: browser })).text();
    expect(page).toContain('Nothing needs a person.');
    expect(page).toContain(
      `TIKTOK_API_BASE_URL is ${api.simulator.url}: tokens and videos go there, and not to TikTok.`,
    );
    const forwarded = await fetch(`${api.url}/`, { headers: { ...browser, 'x-forwarded-for': '192.0.2.1' } });
    expect(await forwarded.text()).not.toContain('What needs a person');
  });
});

describe('an action', () => {
  it('retries a failed job in the safe way, says so, and leaves its line in the trail', async () => {
    const id = await failedJob();
    const before = (await get(`/publishes/${id}`)).html;
    expect(before).toContain('A retry starts again: TikTok has published nothing of it.');
    expect(before).toContain('<span class="badge bad">failed</span>');
    expect(before).toContain(`&quot;id&quot;: &quot;${id}&quot;`);
    const { status, location } = await act(`/publishes/${id}/retry`);
    expect([status, location]).toEqual([303, `/publishes/${id}?done=retried`]);
    expect((await get(`/publishes/${id}?done=retried`)).html).toContain('The job goes on.');
    const job = await pipeline.publisher.waitForCompletion(id, WAIT);
    expect(job.state).toBe('published');
    expect(job.timeline).toContainEqual(expect.objectContaining({ event: 'retry_requested', by: 'board ops' }));
    const { html } = await get(`/audit?subject=${id}`);
    expect(html).toContain('publish.retry');
    expect(html).toContain(`<a href="/publishes/${id}">A title</a>`);
    expect(html).toContain('board ops');
    expect((await get(`/publishes/${id}`)).html).not.toContain('/retry"');
  });

  it('that the ledger refuses changes nothing, and the page says why', async () => {
    const id = await scheduledJob();
    const { status, html } = await act(`/publishes/${id}/retry`);
    expect(status).toBe(409);
    expect(html).toContain('Only failed and unconfirmed jobs can be retried');
    expect((await act(`/publishes/${id}/cancel`)).status).toBe(303);
    expect(await pipeline.publisher.get(id)).toMatchObject({ state: 'cancelled' });
    expect((await act('/publishes/nobody/retry')).status).toBe(404);
  });

  it('pauses and resumes an account', async () => {
    const { account } = await newAccount();
    expect((await act('/accounts/pause', { account })).location).toBe('/accounts?done=paused');
    expect(await pipeline.publisher.accounts.get(account)).toMatchObject({ status: 'paused' });
    const { html: paused } = await get(`/accounts?account=${account}`);
    expect(paused).toContain('Resume');
    expect(paused).toMatch(/paused<\/span><br><small>access until <time>20/);
    await act('/accounts/resume', { account });
    expect(await pipeline.publisher.accounts.get(account)).toMatchObject({ status: 'active' });
    const { html } = await get(`/audit?account=${account}&action=account.pause`);
    expect(html).toContain('status: active → paused');
  });

  it('shows the text of a new key once, and revokes it', async () => {
    const name = `shop-${randomBytes(4).toString('hex')}`;
    const { status, headers, html } = await act('/keys', { name, scopes: 'read', expiresAt: '2100-01-01T10:00' });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const key = html.match(/tpk_[\w-]{43}/)?.[0] ?? '';
    expect(await pipeline.service.apiKeys.find(key)).toMatchObject({ by: `key ${name}`, scopes: ['read'] });
    const list = (await get('/keys')).html;
    expect(list).toContain(name);
    expect(list).toContain('2100-01-01 10:00:00Z');
    expect(list).not.toContain(key);
    const id = (await pipeline.service.apiKeys.list()).find((each) => each.name === name)?.id ?? '';
    expect((await act('/keys/revoke', { id })).location).toBe('/keys?done=revoked');
    expect(await pipeline.service.apiKeys.find(key)).toBeUndefined();
    for (const action of ['key.create', 'key.revoke']) {
      expect((await get(`/audit?subject=${id}&action=${action}`)).html).toContain('board ops');
    }
    expect((await act('/keys', { name: 'a/b' })).html).toContain('name: expected letters');
    const boxes = ['read', 'root'].map((scope): [string, string] => ['scopes', scope]);
    expect((await act('/keys', [['name', 'shop'], ...boxes])).status).toBe(400);
  });

  it('subscribes an endpoint, tests and deletes it', async () => {
    const url = 'https://app.example.com/events?secret=confidential';
    const accounts = 'acme, bakery';
    expect((await act('/subscriptions', { url, accounts, types: 'publish.failed' })).status).toBe(303);
    const { html } = await get('/subscriptions');
    expect(html).toContain('https://app.example.com/events');
    expect(html).toContain('acme, bakery');
    expect(html).not.toContain('confidential');
    const id = html.match(/name="id" value="([\w-]+)"/)?.[1] ?? '';
    const tested = await act('/subscriptions/test', { id });
    expect(tested.location).toBe(`/subscriptions/${id}?done=tested`);
    expect((await get(`/subscriptions/${id}`)).html).toContain('Last deliveries');
    expect((await act('/subscriptions/delete', { id })).location).toBe('/subscriptions?done=unsubscribed');
    expect((await get('/subscriptions')).html).toContain('No endpoint is subscribed yet.');
    expect((await act('/subscriptions', { url: 'nowhere' })).status).toBe(400);
    expect((await act('/subscriptions', { url, types: 'publish.unknown' })).status).toBe(400);
  });

  it('says of a subscription that its URL answered 410, and resumes it', async () => {
    const url = 'https://gone.example.com/events?secret=confidential';
    await act('/subscriptions', { url });
    const id = (await get('/subscriptions')).html.match(/name="id" value="([\w-]+)"/)?.[1] ?? '';
    const path = `/subscriptions/${id}`;
    expect((await get(path)).html).not.toContain('<h2>Stopped</h2>');
    const { redis, keys } = pipeline;
    await createDisabledUrls({ redis, keys, clock: { now: Date.now }, retentionMs: 600_000 }).add(url);
    expect((await get('/subscriptions')).html).toMatch(/events<\/a><br><span class="badge bad">answered 410</);
    const { html } = await get(path);
    expect(html).toContain('a URL of it answered 410');
    const endpoint = html.match(/name="endpoint" value="(\w+)"/)?.[1] ?? '';
    await act('/subscriptions/resume', { endpoint });
    expect((await get(path)).html).not.toContain('<h2>Stopped</h2>');
    await act('/subscriptions/delete', { id });
  });

  it('creates a connect link, and shows it once', async () => {
    const api = await startApi({ PUBLIC_BASE_URL: 'https://publisher.example.com' });
    const answer = await fetch(`${api.url}/accounts/connect-link`, {
      ...{ method: 'POST', body: new URLSearchParams({ account: 'acme' }) },
    });
    expect(await answer.text()).toMatch(/https:\/\/publisher\.example\.com\/connect\/tiktok\?link=[\w-]{43}/);
    expect((await api.audit.list({ action: 'account.create_link' }, { limit: 1 })).entries).toMatchObject([
      { by: 'board', account: 'acme' },
    ]);
  });

  it.each(ACTIONS)('%s is refused to viewers, strangers and pages of other sites', async (path) => {
    expect((await act(path, {}, viewer)).status).toBe(403);
    expect((await act(path, {}, { accept: 'text/html' })).status).toBe(401);
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const { status, html } = await act(path, {}, { ...operator, ...headers });
      expect([headers, status]).toEqual([headers, 403]);
      expect(html).toContain('ORIGIN_REFUSED');
    }
  });

  it('is taken as a form only', async () => {
    const answer = await fetch(`${site.url}/keys`, {
      ...{ method: 'POST', headers: { ...operator, 'content-type': 'application/json' } },
      body: '{"name":"shop"}',
    });
    expect(answer.status).toBe(415);
  });
});
