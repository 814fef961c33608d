import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { startEmbeddedRedis } from '../../../src/embedded-redis/embedded-redis.ts';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { answerOf, freshEnvironment, startCommand } from './command.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WAITS = 'Waiting for Redis';
const on = (port: number, extra: Record<string, string> = {}) =>
  freshEnvironment({ REDIS_URL: `redis://127.0.0.1:${port}`, LOG_LEVEL: 'fatal', ...extra });

/** A Redis that reads its data until it is told to finish: it takes a pause for each key. */
async function loadingRedis(): Promise<{ port: number; finish(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'loading-redis-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const first = await startRedisServer([`dir ${folder}`]);
  const client = await connectRedis({ kind: 'url', url: `redis://127.0.0.1:${first.port}` }, 'producer');
  await client.eval("for i = 1, 8000 do redis.call('SET', 'key:' .. i, string.rep('x', 100)) end", 0);
  await client.call('SAVE');
  await closeRedis(client);
  await first.close();
  const slow = ['key-load-delay 10000', 'loading-process-events-interval-bytes 1024'];
  const second = await startRedisServer([`dir ${folder}`, ...slow]);
  closers.push(() => second.close());
  const finish = async () => {
    const operator = new Redis(second.port, '127.0.0.1', { enableReadyCheck: false });
    await operator.config('SET', 'key-load-delay', '0');
    operator.disconnect();
  };
  return { port: second.port, finish };
}

describe('a service whose Redis is not there yet', () => {
  it.each(['worker', 'server', 'start'])('waits for it, says so once, and then runs: %s', async (command) => {
    const [port, dataDir] = [await freePort(), await mkdtemp(join(tmpdir(), 'start-wait-'))];
    closers.push(() => rm(dataDir, { recursive: true, force: true }));
    const password = 'known-before';
    await writeFile(join(dataDir, 'redis.json'), JSON.stringify({ port, password }));
    const service = startCommand([command], on(port, { REDIS_URL: `redis://:${password}@127.0.0.1:${port}` }));
    await service.printed(WAITS);
    const redis = await startEmbeddedRedis({ dataDir, cacheDir: cacheDirFrom(process.env), port });
    closers.push(() => redis.close());
    await service.printed(/Workers run|Publishing|Board/);
    service.kill('SIGTERM');
    const { exitCode, stderr } = await service.ended;
    expect(exitCode).toBe(0);
    expect(stderr.split(WAITS)).toHaveLength(2);
    expect(stderr).toContain('connection refused, no server is listening there');
  });

  it('waits for one that still reads its data, which other commands tell', async () => {
    const { port, finish } = await loadingRedis();
    const service = startCommand(['worker'], on(port));
    const listing = answerOf(['list'], on(port));
    await service.printed('Redis is still loading its data');
    const { exitCode, stderr } = await listing;
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('Redis is still loading its data')]);
    await finish();
    await service.printed('Workers run');
    service.kill('SIGTERM');
    expect((await service.ended).exitCode).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends at once at %s', async (signal) => {
    const service = startCommand(['worker'], on(await freePort()));
    await service.printed(WAITS);
    service.kill(signal);
    expect((await service.ended).exitCode).toBe(0);
  });

  it('gives up at the limit, with the reason, and does not wait where that is 0', async () => {
    for (const limit of ['1000', '0']) {
      const service = startCommand(['worker'], on(await freePort(), { REDIS_START_WAIT_MS: limit }));
      const { exitCode, stderr } = await service.ended;
      expect([exitCode, stderr.includes(WAITS)]).toEqual([3, limit !== '0']);
      expect(stderr).toContain('connection refused, no server is listening there');
    }
  });
});

describe('a service that Redis refuses for good', () => {
  it('ends at once: wrong password, and a missing permission with the rule that gives it', async () => {
    const server = await startRedisServer([]);
    closers.push(() => server.close());
    const operator = await connectRedis({ kind: 'url', url: `redis://127.0.0.1:${server.port}` }, 'producer');
    closers.push(() => closeRedis(operator));
    const rules = async (text: string) => void (await operator.call('ACL', 'SETUSER', 'app', ...text.split(' ')));
    await rules('on >pw ~* +@all -@dangerous');
    const started = async (login: string) => {
      const service = startCommand(['worker'], on(0, { REDIS_URL: `redis://${login}@127.0.0.1:${server.port}` }));
      return await service.ended;
    };
    const wrong = await started('app:hunter2');
    expect([wrong.exitCode, wrong.stderr]).toEqual([3, expect.stringContaining('rejected the user name or password')]);
    expect(wrong.stderr).not.toMatch(/hunter2|Waiting/);
    const forbidden = await started('app:pw');
    expect([forbidden.exitCode, forbidden.stderr]).toEqual([3, expect.stringContaining('ACL SETUSER app +info')]);
    await rules('+info');
    const service = startCommand(['worker'], on(0, { REDIS_URL: `redis://app:pw@127.0.0.1:${server.port}` }));
    await service.printed('Workers run');
    await rules('+@all -bzpopmin');
    const doctor = await answerOf(['doctor'], on(0, { REDIS_URL: `redis://app:pw@127.0.0.1:${server.port}` }));
    expect(doctor.stdout).toMatch(/is\s+not\s+allowed\s+to\s+run\s+BZPOPMIN/);
    service.kill('SIGTERM');
    expect((await service.ended).exitCode).toBe(0);
  });
});
