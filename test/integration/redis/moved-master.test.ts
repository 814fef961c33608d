import { Queue, Worker } from 'bullmq';
import { afterEach, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import { closeRedis, connectRedis, type RedisRole } from '../../../src/redis/connections.ts';
import { prepareScript, type RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl, testRedisUrlAt } from '../../support/redis.ts';
import { openProxy, type RedisProxy } from '../../support/redis-proxy/redis-proxy.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { startReplicated, urlOf } from '../../support/replicated-redis.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function connect(target: RedisTarget, role: RedisRole): Promise<RedisClient> {
  const client = await connectRedis(target, role);
  closers.push(() => closeRedis(client));
  return client;
}

async function proxied(): Promise<RedisProxy> {
  const proxy = await openProxy(Number(new URL(testRedisUrl()).port));
  closers.push(() => proxy.close());
  return proxy;
}

const isScript = (sent: string) => /\$(?:4|7)\r\neval/i.test(sent);
const SET = "return redis.call('SET', KEYS[1], ARGV[1])";

/** How versions answer a script or a blocking read on a master that has become a replica. */
const DEMOTED = [
  [
    'Redis 6.2',
    "-ERR Error running script (call to f_0523826e): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
  ],
  [
    'Redis 7.0',
    "-READONLY You can't write against a read only replica. script: 0523826e14637c1cc9153c8506277da7a8456298, on @user_script:1.",
  ],
  ['Valkey 8', "-READONLY You can't write against a read only replica. script: 0523826e, on @user_script:1."],
  ['any version', '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'],
  ['a replica without its master', "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['a replica that copies its new master', '-LOADING Redis is loading the dataset in memory'],
] as const;

describe('a master that has become a replica', () => {
  it.each(DEMOTED)('is left as soon as it says so, in the words of %s', async (_, words) => {
    const proxy = await proxied();
    const ledger = await connect({ kind: 'url', url: testRedisUrlAt(proxy.port) }, 'ledger');
    const before = proxy.connections();
    // The name leads to the new master from the next connection on.
    proxy.answer((sent) => (isScript(sent) && proxy.connections() === before ? words : undefined));
    const key = `${freshPrefix()}:a`;
    expect(await prepareScript(ledger, SET)([key], ['1'])).toBe('OK');
    expect(proxy.connections()).toBe(before + 1);
  });

  it('is told to a producer at once, whose next call finds the new one', async () => {
    const proxy = await proxied();
    const producer = await connect({ kind: 'url', url: testRedisUrlAt(proxy.port) }, 'producer');
    const before = proxy.connections();
    proxy.answer((sent) => (isScript(sent) && proxy.connections() === before ? DEMOTED[0][1] : undefined));
    const run = () => prepareScript(producer, SET)([`${freshPrefix()}:a`], ['1']);
    await expect(run()).rejects.toThrow('READONLY');
    expect(await eventually(run)).toBe('OK');
  });

  it('is left by many calls at once without a warning of Node', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    closers.push(async () => process.off('warning', note));
    const proxy = await proxied();
    const ledger = await connect({ kind: 'url', url: testRedisUrlAt(proxy.port) }, 'ledger');
    const before = proxy.connections();
    const refusals = `${DEMOTED[1][1]}\r\n`.repeat(20).trimEnd();
    proxy.answer((sent) => (isScript(sent) && proxy.connections() === before ? refusals : undefined));
    const run = prepareScript(ledger, SET);
    const keys = Array.from({ length: 20 }, () => `${freshPrefix()}:a`);
    expect(await Promise.all(keys.map((key) => run([key], ['1'])))).toEqual(keys.map(() => 'OK'));
    expect(warnings).toEqual([]);
  });

  it('that keeps its connections is left by a publisher after one refused job', async (test) => {
    const { master, replicas } = await startReplicated(test, 1);
    const next = replicas[0] ?? master;
    const proxy = await openProxy(master.port);
    closers.push(() => proxy.close());
    const publisher = createPublisherFromConfig({
      ...{ redis: { kind: 'url', url: proxy.url }, queuePrefix: freshPrefix(), dataDir: '', cacheDir: '' },
    });
    closers.push(() => publisher.close());
    const enqueue = () =>
      publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' } });
    await enqueue();
    const operator = await connect({ kind: 'url', url: urlOf(master) }, 'producer');
    await operator.call('FAILOVER', 'TO', '127.0.0.1', String(next.port));
    await eventually(async () => expect(await operator.info('replication')).toContain('role:slave'));
    proxy.retarget(next.port);
    await expect(enqueue()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await eventually(enqueue)).toMatchObject({ state: 'queued' });
  });

  it('is left by a blocked read when it happens', async () => {
    const master = await startRedisServer([]);
    const other = await startRedisServer([]);
    closers.push(
      () => master.close(),
      () => other.close(),
    );
    const proxy = await openProxy(master.port);
    closers.push(() => proxy.close());
    const worker = await connect({ kind: 'url', url: proxy.url }, 'worker');
    const operator = await connect({ kind: 'url', url: `redis://127.0.0.1:${master.port}` }, 'producer');
    const before = proxy.connections();
    const reading = worker.bzpopmin('{a}:none', 0).catch((error: Error) => error);
    await eventually(async () => expect(await operator.info('clients')).toContain('blocked_clients:1'));
    await operator.call('REPLICAOF', '127.0.0.1', String(other.port));
    await eventually(() => proxy.connections() > before);
    await operator.call('REPLICAOF', 'NO', 'ONE');
    await eventually(() => operator.zadd('{a}:none', 1, 'found'));
    expect(await reading).toEqual(['{a}:none', 'found', '1']);
  });

  it('that stays one is asked less and less often, and then who asked is told', async () => {
    const proxy = await proxied();
    const ledger = await connect({ kind: 'url', url: testRedisUrlAt(proxy.port) }, 'ledger');
    proxy.answer((sent) => (isScript(sent) ? DEMOTED[0][1] : undefined));
    const before = proxy.connections();
    await expect(prepareScript(ledger, SET)([`${freshPrefix()}:a`], ['1'])).rejects.toThrow('READONLY');
    expect(proxy.connections() - before).toBeLessThan(15);
  });
});

describe('sentinels', () => {
  it('that are frozen do not hold a connection', async () => {
    const master = await startRedisServer([]);
    const sentinel = await startRedisServer([`sentinel monitor main 127.0.0.1 ${master.port} 1`], ['--sentinel']);
    closers.push(
      () => master.close(),
      () => sentinel.close(),
    );
    const frozen = await openProxy(sentinel.port);
    closers.push(() => frozen.close());
    frozen.break('black_hole');
    const nodes = [frozen.port, sentinel.port].map((port) => ({ host: '127.0.0.1', port }));
    const login = { username: undefined, password: undefined, tls: false };
    const target = { kind: 'sentinel', nodes, name: 'main', login, sentinelPassword: undefined } as const;
    const client = await connect(target, 'ledger');
    expect(await client.ping()).toBe('PONG');
  });

  it('that know no such master are told as such', async () => {
    const sentinel = await startRedisServer([], ['--sentinel']);
    closers.push(() => sentinel.close());
    const nodes = [{ host: '127.0.0.1', port: sentinel.port }];
    const login = { username: undefined, password: undefined, tls: false };
    const target = { kind: 'sentinel', nodes, name: 'main', login, sentinelPassword: undefined } as const;
    await expect(connectRedis(target, 'producer')).rejects.toMatchObject({ why: 'no_master' });
  });
});

describe('a server that takes no more connections', () => {
  it('is named as such', async () => {
    const server = await startRedisServer(['maxclients 1']);
    closers.push(() => server.close());
    const target: RedisTarget = { kind: 'url', url: `redis://127.0.0.1:${server.port}` };
    // The port was tried when the server started.
    await eventually(() => connect(target, 'producer'));
    await expect(connectRedis(target, 'producer')).rejects.toMatchObject({
      why: 'too_many_clients',
      message: expect.stringContaining('maxclients'),
    });
  });
});

describe('a worker whose own connections are refused at first', () => {
  it('takes jobs as soon as there is room for them', async () => {
    const server = await startRedisServer([]);
    closers.push(() => server.close());
    const target: RedisTarget = { kind: 'url', url: `redis://127.0.0.1:${server.port}` };
    const [operator, connection] = [await connect(target, 'producer'), await connect(target, 'worker')];
    await operator.config('SET', 'maxclients', '2');
    const prefix = freshPrefix();
    const queue = new Queue('jobs', { connection: operator, prefix });
    const troubles: Error[] = [];
    const done: string[] = [];
    const worker = new Worker('jobs', async ({ name }) => done.push(name), { connection, prefix, runRetryDelay: 100 });
    worker.on('error', (error) => troubles.push(error));
    closers.push(
      () => queue.close(),
      () => worker.close(),
    );
    await queue.add('a', {});
    await eventually(() => troubles.length > 0);
    await operator.config('SET', 'maxclients', '100');
    // The first one is fetched without waiting, the second only by the connection that was refused.
    await eventually(() => done.includes('a'));
    await eventually(async () => (await queue.getWaitingCount()) + (await queue.getActiveCount()) === 0);
    await queue.add('b', {});
    await eventually(() => done.includes('b'));
  });
});

describe("a connection's name", () => {
  it('tells what it is for and whose it is, unless the URL has one', async () => {
    const names = async (client: RedisClient) => String(await client.client('GETNAME'));
    expect(await names(await connect({ kind: 'url', url: testRedisUrl() }, 'ledger'))).toBe(
      `tiktok-publisher:ledger:${process.pid}`,
    );
    const named = await connect({ kind: 'url', url: `${testRedisUrl()}?connectionName=mine` }, 'ledger');
    expect(await names(named)).toBe('mine');
  });
});
