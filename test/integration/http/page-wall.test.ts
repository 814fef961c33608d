import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '../../support/api-site.ts';

/** Anybody may ask for them from anywhere: they show nothing, or ask for a proof that no page has. */
const PUBLIC = ['/healthz', '/webhooks/tiktok', '/pull/:name', '/pull/:token/:name'];
/** Their guard stops who has neither link nor login. */
const CONNECT = ['/connect/tiktok', '/connect/tiktok/callback'];

const LOGIN = { BOARD_USER: 'ops', BOARD_PASSWORD: 'password-of-ops' };
const KEYS = { API_KEYS: 'key-of-this-test', ...LOGIN };
const basic = { authorization: `Basic ${btoa('ops:password-of-ops')}` };

interface Route {
  readonly method: string;
  readonly url: string;
}

/** The web server and every route that it has, whoever added it. */
function useRoutes(env: Record<string, string> = {}) {
  const routes: Route[] = [];
  const onServer = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push({ method: one, url });
    });
  };
  beforeAll(() => subscribe('fastify.initialization', onServer));
  const api = useApi({ PUBLIC_BASE_URL: 'http://localhost:3000', ...env });
  beforeAll(() => {
    unsubscribe('fastify.initialization', onServer);
    expect(routes.map(({ url }) => url)).toEqual(
      expect.arrayContaining([...PUBLIC, ...CONNECT, '/v1/publishes', '/board', '/']),
    );
  });
  const ask = async ({ method, url }: Route, headers: Record<string, string>) => {
    const path = url.replaceAll(/:\w+/g, 'x').replaceAll('*', 'x');
    const asked = request(`${api().url}${path}`, { method, agent: false, headers });
    const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage];
    const isStream = answer.headers['content-type']?.includes('event-stream') === true;
    const body = isStream ? '' : await text(answer);
    answer.destroy();
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  };
  return { routes, ask, address: () => new URL(api().url) };
}

const FOREIGN: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost:1' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'content-type': 'text/plain' },
];

describe('every route of the web server', () => {
  const open = useRoutes();
  const withKeys = useRoutes(KEYS);

  it.each([
    ['without keys', open, {}],
    ['with keys, whatever login the browser sends along', withKeys, basic],
  ])('is closed to pages of other sites, %s', async (_title, { routes, ask }, login) => {
    for (const route of routes.filter(({ url }) => !PUBLIC.includes(url))) {
      const answers = await Promise.all(FOREIGN.map((headers) => ask(route, { ...login, ...headers })));
      for (const [index, { status, body }] of answers.entries()) {
        expect([route, FOREIGN[index], status]).toEqual([route, FOREIGN[index], 403]);
        if (route.method !== 'HEAD') expect(body).toContain('ORIGIN_REFUSED');
      }
    }
  });

  it('changes nothing for a page of another site that has the browser go there', async () => {
    const { routes, ask } = open;
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    for (const route of routes.filter(({ method, url }) => !PUBLIC.includes(url) && !/GET|HEAD/.test(method))) {
      expect([route, (await ask(route, link)).status]).toEqual([route, 403]);
    }
    expect((await ask({ method: 'GET', url: '/board' }, link)).status).toBe(200);
    expect((await ask({ method: 'GET', url: '/connect/tiktok' }, link)).status).toBe(403);
  });

  it('is closed to pages whose own name leads to this machine, where no key is asked for', async () => {
    const { routes, ask } = open;
    for (const route of routes.filter(({ url }) => !PUBLIC.includes(url))) {
      const { status, body } = await ask(route, { host: 'evil.example:3000' });
      // Who comes back from TikTok needs the cookie of the one who went there.
      expect([route, status]).toEqual([route, route.url === '/connect/tiktok/callback' ? 400 : 403]);
      expect(body).not.toContain('publish.');
    }
  });

  it.each([
    { 'x-forwarded-for': '192.0.2.1' },
    { 'x-forwarded-proto': 'https' },
    { 'x-real-ip': '192.0.2.1' },
    { via: '1.1 proxy' },
    { 'cf-connecting-ip': '192.0.2.1' },
    { origin: 'https://publisher.example.com', 'sec-fetch-site': 'same-origin' },
  ])('of API, board and connecting takes nobody for this machine who comes through a proxy: %j', async (headers) => {
    const { routes, ask } = open;
    for (const route of routes.filter(({ url }) => /^\/(v1|board|publishes|connect\/tiktok$)/.test(url))) {
      expect([route, (await ask(route, { ...headers })).status]).toEqual([route, 403]);
    }
  });

  it('of API, board and connecting takes nobody for this machine who speaks HTTP/1.0, as proxies do', async () => {
    const { routes, address } = open;
    const { hostname, port } = address();
    for (const { url } of routes.filter(
      ({ method, url }) => method === 'GET' && /^\/(v1|board|connect\/tiktok$)/.test(url),
    )) {
      const socket = connect(Number(port), hostname);
      socket.write(`GET ${url.replaceAll(/[:*]/g, 'x')} HTTP/1.0\r\nHost: localhost:${port}\r\n\r\n`);
      expect([url, (await text(socket)).split(' ')[1]]).toEqual([url, '403']);
    }
  });

  it('is closed behind a proxy also to a client that sends so many headers that those of the proxy come late', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`a${index}`, '']));
    const list = { method: 'GET', url: '/v1/publishes' };
    expect((await open.ask(list, { host: 'localhost', ...many })).status).toBe(200);
    expect((await open.ask(list, { host: 'localhost', ...many, via: '1.1 proxy' })).status).toBe(403);
  });

  it('answers nothing that a page may frame or take for something else', async () => {
    const { routes, ask } = open;
    for (const route of routes) {
      const { headers } = await ask(route, {});
      expect([route, headers['content-security-policy']]).toEqual([
        route,
        expect.stringContaining("frame-ancestors 'none'"),
      ]);
      expect([route, headers['x-content-type-options']]).toEqual([route, 'nosniff']);
    }
  });

  it('of the API is open under every name to who has a key', async () => {
    const { ask } = withKeys;
    const headers = {
      authorization: 'Bearer key-of-this-test',
      host: 'publisher.example.com',
      'x-forwarded-for': '192.0.2.1',
    };
    expect((await ask({ method: 'GET', url: '/v1/publishes' }, headers)).status).toBe(200);
    expect((await ask({ method: 'GET', url: '/metrics' }, { host: 'publisher.example.com' })).status).toBe(200);
  });
});
