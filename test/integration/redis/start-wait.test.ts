import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import { checkRedisForService, createPatience } from '../../../src/redis/await-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedisServer } from '../../support/redis-server.ts';

const log = pino({ level: 'silent' });

async function redis(lines: readonly string[]): Promise<{ target: RedisTarget; operator: RedisClient; port: number }> {
  const server = await startRedisServer(lines);
  onTestFinished(() => server.close());
  const target: RedisTarget = { kind: 'url', url: `redis://127.0.0.1:${server.port}` };
  const operator = await connectRedis(target, 'ledger');
  onTestFinished(() => closeRedis(operator));
  return { target, operator, port: server.port };
}

/** What a start says, from its beginning until Redis serves. */
function starting(target: RedisTarget) {
  const said: string[] = [];
  const patience = createPatience(60_000, { notify: (text) => said.push(text) }, log);
  return { said, serves: patience.until(() => checkRedisForService(target, '{p}')) };
}

describe('a service that starts', () => {
  it('on a replica waits until it is the master', async () => {
    const master = await redis([]);
    const { target, operator } = await redis([]);
    await operator.call('REPLICAOF', '127.0.0.1', String(master.port));
    const { said, serves } = starting(target);
    await eventually(() => expect(said).toEqual([expect.stringContaining('this Redis is a read-only replica')]));
    await operator.call('REPLICAOF', 'NO', 'ONE');
    await serves;
    expect(said).toHaveLength(2);
  });

  it.each([
    ['is full', 'maxmemory', '1', '0', 'Redis is full'],
    ['has lost its replicas', 'min-replicas-to-write', '1', '0', 'min-replicas-to-write'],
  ])('on a Redis that %s waits until that is over', async (_, setting, bad, good, words) => {
    const { target, operator } = await redis([]);
    await operator.config('SET', setting, bad);
    const { said, serves } = starting(target);
    await eventually(() => expect(said).toEqual([expect.stringContaining(words)]));
    await operator.config('SET', setting, good);
    await serves;
  });

  it('on a cluster without masters for its keys waits until it has them', async () => {
    const { operator, port } = await redis(['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1']);
    const login = { username: undefined, password: undefined, tls: false };
    const { said, serves } = starting({ kind: 'cluster', nodes: [{ host: '127.0.0.1', port }], login });
    await eventually(() => expect(said).toHaveLength(1));
    await operator.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await serves;
  });
});
