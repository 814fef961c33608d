import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type ServerOptions, startServer, type WebServer } from '../../../src/http/start-server.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { QUEUE_NAMES } from '../../../src/queues/queue-names.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { request } from './raw-request.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = createLogger({ level: 'silent' });

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

function openQueues(): Queue[] {
  const connection = new Redis(testRedisUrl());
  const prefix = freshPrefix();
  const queues = Object.values(QUEUE_NAMES).map((name) => new Queue(name, { connection, prefix }));
  cleanups.push(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await connection.quit();
  });
  return queues;
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

  it('serves the metrics as Prometheus text', async () => {
    const metrics = createMetrics();
    const { url } = await start({ metrics });
    metrics.deferred('slot');
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('tiktok_deferrals_total{reason="slot"} 1');
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
    expect(await answer.json()).toMatchObject({ checks: { redis: { reason: 'no answer within 2000 ms' } } });
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

describe('board', () => {
  it('shows the jobs of the three queues, and changes none', async () => {
    const queues = openQueues();
    await queues[0]?.add('publish', { account: 'acme' }, { jobId: 'job-one' });
    const { url } = await start({ board: { queues } });
    expect(await (await fetch(`${url}/board`)).text()).toContain('tiktok-publisher');

    const listed = await (await fetch(`${url}/board/api/queues?activeQueue=tiktok-publish`)).json();
    expect(listed).toMatchObject({
      queues: [
        { name: 'tiktok-publish', readOnlyMode: true, jobs: [{ id: 'job-one', data: { account: 'acme' } }] },
        { name: 'tiktok-status' },
        { name: 'tiktok-events' },
      ],
    });

    const emptied = await fetch(`${url}/board/api/queues/tiktok-publish/empty`, { method: 'PUT' });
    expect(emptied.status).toBe(405);
    expect(await queues[0]?.getWaitingCount()).toBe(1);
  });

  it('is refused under a foreign name, as a page that rebinds its DNS name would use', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    for (const path of ['/board', '/board/api/queues']) {
      const answer = await request(`${url}${path}`, { host: `evil.example:${port}` });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'BOARD_NEEDS_LOGIN' });
    }
    expect((await request(`${url}/board`, { host: `localhost:${port}` })).status).toBe(200);
  });

  it('without a login is refused when the server listens beyond this machine', async () => {
    const { url } = await start({ host: '0.0.0.0' });
    const answer = await fetch(`${url}/board`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('BOARD_USER');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('with a login is served to whoever knows it, on every host', async () => {
    const { url } = await start({ host: '0.0.0.0', board: { queues: [], login: { user: 'ops', password: 'pa:ss' } } });
    const as = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` });
    const asked = await fetch(`${url}/board`);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toContain('Basic');
    expect((await fetch(`${url}/board/api/queues`, { headers: as('ops:wrong') })).status).toBe(401);
    expect((await fetch(`${url}/board/static/favicon-32x32.png`)).status).toBe(401);
    expect((await fetch(`${url}/board`, { headers: as('ops:pa:ss') })).status).toBe(200);
    expect((await request(`${url}/board`, { host: 'queues.example', ...as('ops:pa:ss') })).status).toBe(200);
  });
});
