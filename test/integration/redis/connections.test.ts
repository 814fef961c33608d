import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/embedded-redis/embedded-redis.ts';
import { explainRedisError } from '../../../src/redis/connection-error.ts';
import { closeRedis, connectRedis, createRedis, openRedisConnections } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';

const cacheDir = cacheDirFrom(process.env);
const login = { username: undefined, password: undefined, tls: false };
const clients: RedisClient[] = [];
const servers: Server[] = [];
let dataDir: string;
/** A Redis of this file's own, which may be stopped, locked and started again on its port. */
let redis: EmbeddedRedis;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'connections-'));
  redis = await startEmbeddedRedis({ dataDir, cacheDir });
});
afterAll(async () => {
  await redis.close();
  await rm(dataDir, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(closeRedis));
  for (const server of servers.splice(0)) server.close();
  expect(openRedisConnections()).toEqual([]);
});

async function connect(...args: Parameters<typeof connectRedis>): Promise<RedisClient> {
  const client = await connectRedis(...args);
  clients.push(client);
  return client;
}

const url = (address: string): RedisTarget => ({ kind: 'url', url: address });
const own = () => url(redis.url);
const portOf = (address: string) => Number(new URL(address).port);

async function restart(): Promise<void> {
  redis = await startEmbeddedRedis({ dataDir, cacheDir, port: portOf(redis.url) });
}

/** A port on which something answers that is no Redis. */
async function foreignPort(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('the first connection', () => {
  it.each(['producer', 'worker', 'blocking', 'ledger'] as const)('is ready for commands as %s', async (role) => {
    const client = await connect(url(testRedisUrl()), role);
    expect(await client.ping()).toBe('PONG');
    expect(openRedisConnections()).toEqual([{ role, status: 'ready' }]);
  });

  it('explains a wrong and a missing password, without showing any', async () => {
    const withPassword = (password: string) => {
      const address = new URL(redis.url);
      address.password = password;
      return url(address.href);
    };
    const wrong = connectRedis(withPassword('hunter2'), 'producer');
    await expect(wrong).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE', why: 'wrong_password' });
    await expect(wrong).rejects.not.toThrow('hunter2');
    await expect(wrong).rejects.toThrow('REDIS_URL');
    await expect(connectRedis(withPassword(''), 'producer')).rejects.toMatchObject({ why: 'password_required' });
    const client = await connect(own(), 'producer');
    expect(await client.ping()).toBe('PONG');
  });

  it.each<[string, RedisTarget, string]>([
    ['nothing listens', url('redis://127.0.0.1:1'), 'REDIS_URL'],
    [
      'no cluster node listens',
      { kind: 'cluster', nodes: [{ host: '127.0.0.1', port: 1 }], login },
      'REDIS_CLUSTER_NODES',
    ],
    [
      'no sentinel listens',
      { kind: 'sentinel', nodes: [{ host: '127.0.0.1', port: 1 }], name: 'm', login, sentinelPassword: undefined },
      'REDIS_SENTINELS',
    ],
  ])('says so and what to do when %s', async (_, target, setting) => {
    const attempt = connectRedis(target, 'producer');
    await expect(attempt).rejects.toMatchObject({
      why: 'refused',
      message: expect.stringContaining(setting),
      advice: expect.stringContaining(setting),
    });
  });

  it('says that a host is unknown', async () => {
    const attempt = connectRedis(url('redis://user:hunter2@no-such-host.invalid:6379/3'), 'producer');
    await expect(attempt).rejects.toMatchObject({
      why: 'unknown_host',
      message: 'cannot use Redis at redis://no-such-host.invalid:6379/3 (REDIS_URL): its host name cannot be resolved',
    });
  });

  it('notices that a web server answers', async () => {
    const port = await foreignPort(createHttpServer((_, response) => response.end()));
    await expect(connectRedis(url(`redis://127.0.0.1:${port}`), 'producer')).rejects.toMatchObject({
      why: 'not_redis',
    });
  });

  it('gives up on a server that says nothing', async () => {
    const port = await foreignPort(createServer((socket) => socket.on('error', () => undefined)));
    const attempt = connectRedis(url(`redis://127.0.0.1:${port}`), 'producer', { timeoutMs: 50 });
    await expect(attempt).rejects.toMatchObject({ why: 'timeout' });
  });

  it('notices that a single Redis is no cluster and no sentinel', async () => {
    const nodes = [{ host: '127.0.0.1', port: portOf(redis.url) }];
    const login = { username: undefined, password: new URL(redis.url).password, tls: false };
    const cluster = connectRedis({ kind: 'cluster', nodes, login }, 'producer');
    await expect(cluster).rejects.toMatchObject({ why: 'not_redis' });
    const sentinelPassword = login.password;
    const sentinel = connectRedis({ kind: 'sentinel', nodes, name: 'm', login, sentinelPassword }, 'ledger');
    await expect(sentinel).rejects.toMatchObject({ why: 'not_redis' });
  });
});

describe('while Redis is away', () => {
  it('fails a producer at once, lets ledger and worker wait, and all work again afterwards', async () => {
    const [producer, ledger, worker] = await Promise.all([
      connect(own(), 'producer'),
      connect(own(), 'ledger'),
      connect(own(), 'worker'),
    ]);
    await redis.close();
    await eventually(() => producer.status === 'reconnecting');
    const refusal = await producer.get('x').catch((error: unknown) => explainRedisError(error, own()));
    expect(refusal).toMatchObject({ code: 'REDIS_UNAVAILABLE', why: 'connection_lost' });
    const waiting = Promise.all([ledger.set('a', '1'), worker.set('b', '2')]);
    await restart();
    expect(await waiting).toEqual(['OK', 'OK']);
    expect(await eventually(() => producer.get('b'))).toBe('2');
  });

  it('logs an outage once, and its end once', async () => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const client = await connect(own(), 'ledger', { log });
    const failures: unknown[] = [];
    client.on('error', (error) => failures.push(error));
    await redis.close();
    await eventually(() => failures.length >= 3);
    await restart();
    await eventually(() => lines.length === 2);
    expect(await client.ping()).toBe('PONG');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ msg: 'redis connection lost', role: 'ledger', reason: expect.any(String) }),
      expect.objectContaining({ msg: 'redis connection restored', role: 'ledger' }),
    ]);
  });
});

describe('closing', () => {
  it('works in any state, and twice', async () => {
    const never = createRedis(url(testRedisUrl()), 'worker');
    const ready = await connectRedis(url(testRedisUrl()), 'producer');
    const refused = createRedis(url('redis://127.0.0.1:1'), 'worker');
    refused.connect().catch(() => undefined);
    await eventually(() => refused.status === 'reconnecting');
    expect(openRedisConnections()).toHaveLength(3);
    for (const client of [never, ready, refused, ready]) await closeRedis(client);
    expect(openRedisConnections()).toEqual([]);
  });

  it('does not wait for a command that blocks', async () => {
    const client = await connectRedis(url(testRedisUrl()), 'blocking');
    const blocked = client.blpop('never-pushed', 0).catch((error: Error) => error.message);
    await closeRedis(client);
    expect(await blocked).toBe('Connection is closed.');
  });
});
