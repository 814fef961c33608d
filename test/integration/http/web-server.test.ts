import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { startMetricsServer } from '../../../src/http/start-metrics-server.ts';
import { type ServerOptions, startServer, type WebServer } from '../../../src/http/start-server.ts';
import { openLogger } from '../../../src/observability/logger.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { eventually } from '../../support/eventually.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = await openLogger({ level: 'silent', format: 'json' });

async function start(options: Partial<ServerOptions> = {}): Promise<WebServer> {
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    board: { queues: [] },
    metrics: createMetrics(),
    readinessChecks: [],
    log,
    ...options,
  });
  cleanups.push(() => server.close());
  return server;
}

/** A check that tells that it was asked, and passes when it is let. */
function slowCheck() {
  const events = new EventEmitter();
  const asked = once(events, 'asked');
  const check = async () => {
    const passed = once(events, 'passed');
    events.emit('asked');
    await passed;
  };
  return { checks: [{ name: 'slow', check }], asked, pass: () => events.emit('passed') };
}

describe('web server', () => {
  it('links everything from its first page', async () => {
    const { url } = await start();
    const page = await (await fetch(url)).text();
    for (const path of ['/board', '/metrics', '/readyz', '/healthz']) {
      expect(page).toContain(`href="${path}"`);
      expect((await fetch(`${url}${path}`)).status).toBe(200);
    }
  });

  it('answers a browser that goes wrong with a page, and programs with a problem document', async () => {
    const login = { user: 'ops', password: 'secret' };
    const { url } = await start({
      operators: { login },
      board: {
        queues: [],
        jobs: {
          idOf: () => undefined,
          find: async () => [undefined],
          plansOf: async () => undefined,
          retry: async () => {},
        },
      },
    });
    const authorization = `Basic ${btoa('ops:secret')}`;
    for (const [path, status, code, headers] of [
      ['/nowhere<b>?token=confidential', 404, 'NOT_FOUND', {}],
      ['/board', 401, 'BOARD_LOGIN_REFUSED', {}],
      ['/publishes/unknown', 404, 'JOB_NOT_FOUND', { authorization }],
    ] as const) {
      const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
      const page = await fetch(`${url}${path}`, { headers: { accept, ...headers } });
      const html = await page.text();
      expect([page.status, page.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
      expect(html).toMatch(/<meta name="viewport" content="width=device-width/);
      expect(html).toContain(code);
      expect(html).not.toMatch(/<b>|confidential/);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      const document = await fetch(`${url}${path}`, { headers });
      expect([document.status, await document.json()]).toMatchObject([status, { status, code }]);
    }
    expect((await fetch(`${url}/board`)).headers.get('www-authenticate')).toMatch(/^Basic/);
  });

  it('hangs up on a body that does not come', async () => {
    const { url } = await start({ requestMs: 200 });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    cleanups.push(() => socket.destroy());
    const head = ['Host: localhost', 'Content-Type: application/json', 'Content-Length: 1000'];
    socket.write(`POST /webhooks/tiktok HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('serves the metrics as Prometheus text', async () => {
    const metrics = createMetrics();
    const { url } = await start({ metrics });
    metrics.deferred('turn');
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('tiktok_deferrals_total{reason="turn"} 1');
  });

  it('is ready when every check passes, and says what is missing when one does not', async () => {
    let workersRun = false;
    const checks = [
      { name: 'redis', check: async () => undefined },
      {
        name: 'workers',
        check: async () => {
          if (!workersRun) throw new Error('the workers do not run');
        },
      },
    ];
    const { url } = await start({ readinessChecks: checks });
    const notReady = await fetch(`${url}/readyz`);
    expect(notReady.status).toBe(503);
    expect(await notReady.json()).toEqual({
      status: 'not_ready',
      checks: { redis: { ok: true }, workers: { ok: false, reason: 'the workers do not run' } },
    });
    workersRun = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('counts a check that hangs as failed', async () => {
    const { url } = await start({ readinessChecks: [{ name: 'redis', check: () => new Promise(() => undefined) }] });
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ checks: { redis: { reason: 'no response within 2000 ms' } } });
  });

  it.each([
    ['web server', start],
    ['metrics server', startMetricsServer],
  ])('a %s that closes answers what is under way, and does not wait for its client to hang up', async (_, open) => {
    const { checks, asked, pass } = slowCheck();
    const metrics = createMetrics();
    const server = await open({ host: '127.0.0.1', port: 0, readinessChecks: checks, metrics, log });
    const answer = fetch(`${server.url}/readyz`);
    await asked;
    const closed = server.close();
    await eventually(() => expect(fetch(`${server.url}/healthz`)).rejects.toThrow());
    pass();
    expect((await answer).status).toBe(200);
    await closed;
  });

  it('answers unknown paths with a problem document', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/nowhere?token=secret`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = await answer.json();
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND', title: 'Not Found' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('answers unreadable addresses without repeating them', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/%zz?token=secret`);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = await answer.json();
    expect(problem).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('says which port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => other.close());
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({
      code: 'CONFIG_PORT_TAKEN',
      message: `port ${port} of 127.0.0.1 is in use by another program`,
    });
  });

  it('says when the host is not an address of this machine', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
