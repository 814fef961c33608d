import type { TestContext } from 'vitest';
import type { RedisTarget } from '../../src/config/redis-config.ts';
import { closeRedis, connectRedis } from '../../src/redis/connections.ts';
import type { RedisClient } from '../../src/redis/lua-script.ts';
import { eventually } from './eventually.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

/** With whose end everything is closed. */
type Test = Pick<TestContext, 'onTestFinished'>;

/** Starts a Redis that is closed with the test. */
export async function serverOfTest(
  { onTestFinished }: Test,
  ...args: Parameters<typeof startRedisServer>
): Promise<RedisServer> {
  const server = await startRedisServer(...args);
  onTestFinished(() => server.close());
  return server;
}

export function urlOf({ port }: Pick<RedisServer, 'port'>): string {
  return `redis://127.0.0.1:${port}`;
}

/** A client that is closed with the test. */
export async function clientOfTest({ onTestFinished }: Test, target: RedisTarget): Promise<RedisClient> {
  const client = await connectRedis(target, 'ledger');
  onTestFinished(() => closeRedis(client));
  return client;
}

/** Starts a master with replicas that have caught up with it. */
export async function startReplicated(
  test: Test,
  replicaCount: number,
): Promise<{ master: RedisServer; replicas: RedisServer[] }> {
  const master = await serverOfTest(test, ['repl-diskless-sync-delay 0']);
  const replicas = await Promise.all(
    Array.from({ length: replicaCount }, () => serverOfTest(test, [`replicaof 127.0.0.1 ${master.port}`])),
  );
  await untilReplicas(master, replicaCount);
  return { master, replicas };
}

/** Waits until so many replicas follow a master. */
async function untilReplicas(master: RedisServer, count: number): Promise<void> {
  const client = await connectRedis({ kind: 'url', url: urlOf(master) }, 'ledger');
  try {
    await eventually(async () => ((await client.info('replication')).match(/state=online/g) ?? []).length === count);
  } finally {
    await closeRedis(client);
  }
}

/** Has three sentinels watch a master. @returns how to connect through them */
export async function startSentinels(
  test: Test,
  master: RedisServer,
  options: { readonly replicas: number },
): Promise<{ target: Extract<RedisTarget, { kind: 'sentinel' }>; sentinels: RedisServer[] }> {
  const watch = [
    `sentinel monitor main 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
  ];
  const sentinels = await Promise.all(Array.from({ length: 3 }, () => serverOfTest(test, watch, ['--sentinel'])));
  await Promise.all(
    sentinels.map(async (sentinel) => {
      const client = await clientOfTest(test, { kind: 'url', url: urlOf(sentinel) });
      await eventually(
        async () => {
          const pairs = (await client.call('SENTINEL', 'MASTER', 'main')) as string[];
          const field = (name: string): number => Number(pairs[pairs.indexOf(name) + 1]);
          return field('num-other-sentinels') === 2 && field('num-slaves') === options.replicas;
        },
        { timeoutMs: 90_000 },
      );
    }),
  );
  return {
    sentinels,
    target: {
      kind: 'sentinel',
      nodes: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      name: 'main',
      login: { username: undefined, password: undefined, tls: false },
      sentinelPassword: undefined,
    },
  };
}
