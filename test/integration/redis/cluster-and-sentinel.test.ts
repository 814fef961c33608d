import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import { closeRedis, connectRedis, createRedis } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix } from '../../support/redis.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { rejection } from '../../support/rejection.ts';
import { startReplicated, startSentinels } from '../../support/replicated-redis.ts';

const servers: RedisServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function server(...args: Parameters<typeof startRedisServer>): Promise<RedisServer> {
  const started = await startRedisServer(...args);
  servers.push(started);
  return started;
}

const clusterNode = ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1', 'requirepass secret'];
const loginWith = (password?: string) => ({ username: undefined, password, tls: false });
const localhost = (port: number) => ({ host: '127.0.0.1', port });

async function withClient<T>(target: RedisTarget, work: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = await connectRedis(target, 'producer');
  try {
    return await work(client);
  } finally {
    await closeRedis(client);
  }
}

async function startCluster(): Promise<RedisTarget> {
  const { port } = await server(clusterNode);
  const single: RedisTarget = { kind: 'url', url: `redis://:secret@127.0.0.1:${port}` };
  await withClient(single, (client) => client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'));
  await eventually(() =>
    withClient(single, async (c) => String(await c.call('CLUSTER', 'INFO')).includes('cluster_state:ok')),
  );
  return { kind: 'cluster', nodes: [localhost(port)], login: loginWith('secret') };
}

describe('a cluster', () => {
  it('makes jobs and their entries in one step', async () => {
    const cluster = await startCluster();
    const queuePrefix = freshPrefix();
    const publisher = createPublisherFromConfig({
      ...{ redis: cluster, redisWaitReplicas: 0 },
      ...{ queuePrefix, dataDir: '', cacheDir: '' },
    });
    const media = { type: 'file', path: '/a.mp4' } as const;
    const accounts = ['a', 'b', 'a'];
    const jobs = await publisher.enqueueBulk(accounts.map((account) => ({ account, mode: 'inbox', media })));
    expect(jobs.map(({ waitingFor }) => waitingFor)).toEqual([null, null, 'turn']);
    await publisher.close();
    await withClient(cluster, async (client) => {
      const queue = new Queue('tiktok-publish', { connection: client, prefix: queuePrefix });
      expect(await queue.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 2, delayed: 1 });
      await queue.close();
    });
  });

  it('runs a job from a producer connection to a worker connection, with a password', async () => {
    const cluster = await startCluster();
    const producer = await connectRedis(cluster, 'producer');
    const consumer = await connectRedis(cluster, 'worker');
    const prefix = freshPrefix();
    const queue = new Queue<{ a: number }>('sums', { connection: producer, prefix });
    const worker = new Worker<{ a: number }, number>('sums', async (job) => job.data.a + 1, {
      connection: consumer,
      prefix,
    });
    const result = new Promise((resolve) => worker.on('completed', (_, value) => resolve(value)));
    await queue.add('sum', { a: 1 });
    expect(await result).toBe(2);
    await worker.close();
    await queue.close();
    await closeRedis(producer);
    await closeRedis(consumer);
  });

  it('does not end the process when a node goes that was asked for keys on the move', async () => {
    const cluster = createRedis({ kind: 'cluster', nodes: [localhost(9)], login: loginWith() }, 'worker');
    const node = new Redis({ port: 9, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    node.on('error', () => undefined);
    cluster.emit('+node', node);
    const gone = new Promise((resolve) => node.once('end', resolve));
    // As ioredis does: nobody looks at what becomes of it. Vitest fails where a rejection is handled by nobody.
    void node.asking();
    await gone;
    await closeRedis(cluster);
  });

  it('refuses a wrong password with the reason', async () => {
    const { port } = await server(clusterNode);
    const target: RedisTarget = { kind: 'cluster', nodes: [localhost(port)], login: loginWith('wrong') };
    await expect(connectRedis(target, 'producer')).rejects.toMatchObject({ why: 'wrong_password' });
  });
});

describe('sentinels', () => {
  it('lead to the master that they watch', async () => {
    const master = await server(['requirepass secret']);
    const watch = [`sentinel monitor main 127.0.0.1 ${master.port} 1`, 'sentinel auth-pass main secret'];
    const sentinel = await server(watch, ['--sentinel']);
    const target: RedisTarget = {
      kind: 'sentinel',
      nodes: [localhost(sentinel.port)],
      name: 'main',
      login: loginWith('secret'),
      sentinelPassword: undefined,
    };
    expect(await withClient(target, (client) => client.set('a', 'b'))).toBe('OK');
    const direct: RedisTarget = { kind: 'url', url: `redis://:secret@127.0.0.1:${master.port}` };
    expect(await withClient(direct, (client) => client.get('a'))).toBe('b');
  });

  it('are waited for by a client that is told meanwhile to connect anew', async (test) => {
    const { master } = await startReplicated(test, 0);
    const { target } = await startSentinels(test, master, { replicas: 0 });
    const client = createRedis(target, 'confirmation');
    test.onTestFinished(() => closeRedis(client));
    const early = client.ping();
    expect(client.status).toBe('connecting');
    client.disconnect(true);
    expect(await early).toBe('PONG');
    expect(await client.ping()).toBe('PONG');
  });

  it('tell a master that is gone from sentinels that are gone, without hints how to install Redis', async (test) => {
    const { master } = await startReplicated(test, 0);
    const { target, sentinels } = await startSentinels(test, master, { replicas: 0 });
    await master.close();
    const noMaster = await rejection(connectRedis(target, 'producer'));
    expect(noMaster).toMatchObject({ message: expect.stringContaining('the master reported by the sentinels') });
    await Promise.all(sentinels.map((sentinel) => sentinel.close()));
    const noSentinels = await rejection(connectRedis(target, 'producer'));
    expect(noSentinels).toMatchObject({ message: expect.stringContaining('no sentinel responds') });
    for (const error of [noMaster, noSentinels]) {
      expect(error).toMatchObject({ advice: expect.not.stringMatching(/install|REDIS_URL/) });
    }
  });
});
