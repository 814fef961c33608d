import type { Redis } from 'ioredis';
import type { TestContext } from 'vitest';
import { closeRedis, connectRedis } from '../../src/redis/connections.ts';
import { openProxy, type RedisProxy } from './redis-proxy/redis-proxy.ts';
import { startRedisServer } from './redis-server.ts';

/** A Redis of its own behind a proxy, and an operator who can do it harm. */
export interface ProxiedRedis {
  readonly proxy: RedisProxy;
  /** Past the proxy, as a user of its own. */
  readonly operator: Redis;
  readonly pid: number;
}

const OPERATED = [
  'enable-debug-command yes',
  'loading-process-events-interval-bytes 1024',
  'user operator on nopass ~* &* +@all',
];

/** Starts one that is closed with the test. */
export async function startProxiedRedis(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  configLines: readonly string[] = [],
): Promise<ProxiedRedis> {
  const server = await startRedisServer([...OPERATED, ...configLines]);
  onTestFinished(() => server.close());
  const proxy = await openProxy(server.port);
  onTestFinished(() => proxy.close());
  const url = `redis://operator:any@127.0.0.1:${server.port}`;
  const operator = (await connectRedis({ kind: 'url', url }, 'blocking')) as Redis;
  onTestFinished(() => closeRedis(operator));
  const pid = Number(/process_id:(\d+)/.exec(await operator.info('server'))?.[1]);
  return { proxy, operator, pid };
}

/** Has it read its data again for a minute, unless `key-load-delay` is set to 0. The operator waits for the end. */
export async function reloadSlowly({ operator }: ProxiedRedis): Promise<void> {
  for (let index = 0; index < 60; index += 1) await operator.set(`load-${index}`, 'x'.repeat(2_000));
  await operator.config('SET', 'rdbcompression', 'no', 'key-load-delay', '1000000');
  operator.call('DEBUG', 'RELOAD').catch(() => undefined);
}
