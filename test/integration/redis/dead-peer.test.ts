import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { describe, expect, it, type TestContext } from 'vitest';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import { closeRedis, connectRedis, type RedisRole } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl, testRedisUrlAt } from '../../support/redis.ts';
import { openProxy, type RedisProxy } from '../../support/redis-proxy/redis-proxy.ts';

/** These tests run side by side, since each waits for a bound to pass: what one opens is closed at its own end. */
type Finished = TestContext['onTestFinished'];

async function proxied(
  deadPeerMs: number,
  onTestFinished: Finished,
): Promise<{ proxy: RedisProxy; target: RedisTarget }> {
  const proxy = await openProxy(Number(new URL(testRedisUrl()).port));
  onTestFinished(() => proxy.close());
  return { proxy, target: { kind: 'url', url: testRedisUrlAt(proxy.port), deadPeerMs } };
}

async function connect(target: RedisTarget, role: RedisRole, onTestFinished: Finished): Promise<RedisClient> {
  const client = await connectRedis(target, role);
  onTestFinished(() => closeRedis(client));
  return client;
}

describe.concurrent('a peer that falls silent without closing anything', () => {
  it.for(['producer', 'ledger', 'worker', 'blocking'] as const)(
    'is left by a connection of role %s with its next command, and Redis is used again when it is back',
    async (role, { onTestFinished }) => {
      const { proxy, target } = await proxied(1_000, onTestFinished);
      const client = await connect(target, role, onTestFinished);
      proxy.break('black_hole');
      const asked = client.get('x').catch((error: Error) => error);
      await eventually(() => client.status !== 'ready');
      proxy.heal();
      await asked;
      expect(await eventually(() => client.ping())).toBe('PONG');
    },
  );

  it('is left in the middle of a blocking read', async ({ onTestFinished }) => {
    const { proxy, target } = await proxied(1_000, onTestFinished);
    const client = await connect(target, 'blocking', onTestFinished);
    const reading = client
      .xread('BLOCK', 5_000, 'STREAMS', `${freshPrefix()}:none`, '$')
      .catch((error: Error) => error);
    proxy.break('black_hole');
    expect(await reading).toBeInstanceOf(Error);
    proxy.heal();
    expect(await eventually(() => client.ping())).toBe('PONG');
  });

  it('does not keep a worker from the jobs that come afterwards', async ({ onTestFinished }) => {
    const { proxy, target } = await proxied(1_000, onTestFinished);
    const connection = await connect(target, 'worker', onTestFinished);
    const prefix = freshPrefix();
    const direct = await connect({ kind: 'url', url: testRedisUrl() }, 'producer', onTestFinished);
    const queue = new Queue('jobs', { connection: direct, prefix });
    const worker = new Worker('jobs', async (job) => job.name, { connection, prefix, runRetryDelay: 1_000 });
    worker.on('error', () => undefined);
    onTestFinished(() => queue.close());
    onTestFinished(() => worker.close());
    const done: string[] = [];
    worker.on('completed', (job) => done.push(job.name));
    await queue.add('before', {});
    await eventually(() => done.includes('before'));
    proxy.break('black_hole');
    await queue.add('meanwhile', {});
    const seen = proxy.connections();
    await eventually(() => proxy.connections() > seen);
    proxy.heal();
    await queue.add('after', {});
    await eventually(() => done.includes('meanwhile') && done.includes('after'));
  });

  it('is not seen in a living one: a read that blocks for ten seconds is never cut', async ({ onTestFinished }) => {
    const { proxy, target } = await proxied(1_000, onTestFinished);
    const [worker, blocking] = await Promise.all([
      connect(target, 'worker', onTestFinished),
      connect(target, 'blocking', onTestFinished),
    ]);
    // As BullMQ does it.
    const copy = (worker as Redis).duplicate();
    onTestFinished(() => closeRedis(copy));
    await copy.ping();
    const before = proxy.connections();
    const none = `${freshPrefix()}:none`;
    expect(await Promise.all([copy.bzpopmin(none, 10), blocking.xread('BLOCK', 10_000, 'STREAMS', none, '$')])).toEqual(
      [null, null],
    );
    expect(proxy.connections()).toBe(before);
  });

  it('is left soon when it accepts a connection and then says nothing', async ({ onTestFinished }) => {
    const { proxy, target } = await proxied(15_000, onTestFinished);
    const client = await connect(target, 'ledger', onTestFinished);
    const failures: string[] = [];
    client.on('error', (error: Error) => failures.push(error.message));
    proxy.break('black_hole');
    client.disconnect(true);
    await eventually(() => failures.some((message) => message.includes('does not respond')));
    proxy.heal();
    expect(await client.ping()).toBe('PONG');
  });
});
