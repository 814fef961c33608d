import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { enqueue, PULL_REQUEST, startApi } from '../../support/api-site.ts';
import { startSite } from '../../support/connect-site.ts';

/** A reverse proxy that serves a server below a path alone, as nginx does with `location /tiktok/`. */
async function startProxy(target: string, below: string, removesPath: boolean): Promise<string> {
  const { port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming;
    if (!url.startsWith(`${below}/`)) return void outgoing.writeHead(404).end('another app');
    const path = removesPath ? url.slice(below.length) : url;
    const passed = ask({ host: '127.0.0.1', port, method, headers, path, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => passed.destroy());
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Addresses that a page leads to, as a browser reads them. */
function linksOf(html: string, page: string): string[] {
  const base = new URL(/<base href="([^"]*)"/.exec(html)?.[1] ?? '', page);
  const found = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link = '']) => new URL(link, base).href);
  return found.filter((link) => link !== base.href && new URL(link).origin === new URL(page).origin);
}

it.each([true, false])('everything works below a path, whether the proxy removes it (%s) or not', async (removes) => {
  const api = await startApi({ BASE_PATH: 'tiktok/' });
  const origin = await startProxy(api.url, '/tiktok', removes);
  const id = await enqueue(api, PULL_REQUEST);
  const pages = ['/', '/board', '/board/queue/tiktok-publish', '/docs', '/docs/', `/publishes/${id}`];
  for (const page of pages.map((path) => `${origin}/tiktok${path}`)) {
    const answer = await fetch(page);
    expect([page, answer.status]).toEqual([page, 200]);
    const links = linksOf(await answer.text(), page);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      const { status } = await fetch(link);
      expect([link, status]).toEqual([link, 200]);
    }
  }
  for (const path of ['/nowhere', '/publishes/unknown', '/v1/publishes/unknown', '/%zz']) {
    const page = `${origin}/tiktok${path}`;
    const answer = await fetch(page, { headers: { accept: 'text/html' } });
    expect([path, answer.status >= 400]).toEqual([path, true]);
    const links = linksOf(await answer.text(), page);
    expect([path, links]).toEqual([path, expect.arrayContaining([`${origin}/tiktok/`])]);
    expect(links.filter((link) => !link.startsWith(`${origin}/tiktok/`))).toEqual([]);
  }
  const board = await (await fetch(`${origin}/tiktok/board`)).text();
  expect(board).toContain('<base href="/tiktok/board/"');
  expect(board).toContain('"/tiktok/metrics"');
  const openapi: unknown = await (await fetch(`${origin}/tiktok/openapi.json`)).json();
  expect(openapi).toMatchObject({ servers: [{ url: '/tiktok' }] });
  const initializer = await (await fetch(`${origin}/tiktok/docs/static/swagger-initializer.js`)).text();
  expect(initializer).toContain('/tiktok/openapi.json');
  const accepted = await fetch(`${origin}/tiktok/v1/publishes`, {
    method: 'POST',
    body: JSON.stringify(PULL_REQUEST),
    headers: { 'content-type': 'application/json' },
  });
  const location = new URL(accepted.headers.get('location') ?? '', origin);
  expect((await fetch(location)).status).toBe(200);
  const events = await fetch(`${location.href}/events`);
  const reader = events.body?.getReader();
  let text = '';
  while (!text.includes('publish.queued')) text += new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  // Probes ask the process itself.
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
});

it('takes the path of PUBLIC_BASE_URL unless told, and connects accounts below it', async () => {
  const port = 4_000;
  const site = await startSite({ PUBLIC_BASE_URL: `http://127.0.0.1:${port}/tiktok/` });
  const home = await (await fetch(`${site.url}/tiktok`)).text();
  expect(home).toContain('href="/tiktok/board"');
  const begun = await fetch(await site.link('acme'), { redirect: 'manual' });
  const consent = new URL(begun.headers.get('location') ?? '');
  expect(consent.searchParams.get('redirect_uri')).toBe(`http://127.0.0.1:${port}/tiktok/connect/tiktok/callback`);
  expect(begun.headers.get('set-cookie')).toContain('Path=/tiktok/connect/tiktok/callback');
});

it.each([true, false])(
  'who signs in below a path sends the cookie there alone (the proxy removes it: %s)',
  async (removes) => {
    const login = { BOARD_USER: 'ops', BOARD_PASSWORD: 'a-good-password-1' };
    const { url } = await startSite({ BASE_PATH: 'tiktok/', ...login });
    const origin = await startProxy(url, '/tiktok', removes);
    const answer = await fetch(`${origin}/tiktok/sign-in`, {
      ...{ method: 'POST', redirect: 'manual', headers: { accept: 'text/html' } },
      body: new URLSearchParams({ user: login.BOARD_USER, password: login.BOARD_PASSWORD, next: '/publishes' }),
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/tiktok/publishes']);
    const [set = ''] = answer.headers.getSetCookie();
    expect(set).toContain('; Path=/tiktok;');
    const cookie = set.split(';', 1).join('');
    const page = await fetch(`${origin}/tiktok/publishes`, { headers: { accept: 'text/html', cookie } });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('board ops (admin)')]);
  },
);
