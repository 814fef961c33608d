import { expect, it, onTestFinished } from 'vitest';
import { createQueues } from '../../../src/ledger/queues/queues.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/** More than are looked through. */
const LONG = 12_000;

async function open() {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const queues = createQueues({ connection: redis, prefix: freshPrefix() });
  onTestFinished(() => queues.close());
  const { publish, isPending } = queues;
  return {
    ...{ redis, publish },
    isPending: (id: string) => isPending('publish', id),
    add: (id: string, options: { priority?: number; delay?: number } = {}) =>
      publish.add('publish', {}, { jobId: id, ...options }),
  };
}

it('an entry that waits, sleeps or has a priority will run; one that is gone or lost its place will not', async () => {
  const { redis, publish, add, isPending } = await open();
  await add('waits');
  await add('sleeps', { delay: 60_000 });
  await add('first', { priority: 1 });
  await add('displaced');
  await redis.lrem(publish.toKey('wait'), 0, 'displaced');
  const pending = await Promise.all(['waits', 'sleeps', 'first', 'displaced', 'gone'].map(isPending));
  expect(pending).toEqual([true, true, true, false, false]);
});

it('an entry far back among very many counts as waiting while it has its data', async () => {
  const { redis, publish, add, isPending } = await open();
  await add('next');
  await redis.lpush(publish.toKey('wait'), ...Array.from({ length: LONG }, (_, n) => `other-${n}`));
  await add('last');
  expect(await Promise.all(['next', 'last', 'other-1'].map(isPending))).toEqual([true, true, true]);
  expect(await Promise.all([`other-${LONG - 1}`, 'gone'].map(isPending))).toEqual([false, false]);
});
