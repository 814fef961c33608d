import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/embedded-redis/embedded-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';

const cacheDir = cacheDirFrom(process.env);
const started: EmbeddedRedis[] = [];
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-redis-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.close()));
  await rm(dataDir, { recursive: true, force: true });
});

async function start(port?: number): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir, cacheDir, port });
  started.push(redis);
  return redis;
}

async function command(url: string, name: string, ...args: string[]): Promise<unknown> {
  const client = await connectRedis({ kind: 'url', url }, 'producer');
  try {
    return await client.call(name, ...args);
  } finally {
    await closeRedis(client);
  }
}

const portOf = (url: string) => Number(new URL(url).port);

it('keeps what was written over a close and a new start', async () => {
  const first = await start();
  await command(first.url, 'SET', 'kept', 'yes');
  await first.close();
  await expect(command(first.url, 'PING')).rejects.toMatchObject({ why: 'refused' });
  const second = await start();
  expect(await command(second.url, 'GET', 'kept')).toBe('yes');
  expect(second.url).toBe(first.url);
});

it('takes another port when its last one was taken meanwhile', async () => {
  const first = await start();
  await first.close();
  const holder = createServer().listen(portOf(first.url), '127.0.0.1');
  await once(holder, 'listening');
  const second = await start();
  expect(second.url).not.toBe(first.url);
  expect(await command(second.url, 'PING')).toBe('PONG');
  holder.close();
});

it.each([
  ['hz', '100'],
  ['hash-max-ziplist-value', '1024'],
  ['appendonly', 'yes'],
  ['appendfsync', 'everysec'],
  ['save', ''],
  ['maxmemory-policy', 'noeviction'],
  ['bind', '127.0.0.1'],
])('runs with %s "%s"', async (setting, value) => {
  expect(await command(testRedisUrl(), 'CONFIG', 'GET', setting)).toEqual([setting, value]);
});

it('is started again where it was when it is killed, with everything that was written', async () => {
  const redis = await start();
  await command(redis.url, 'SET', 'kept', 'yes');
  const { pid } = redis;
  process.kill(pid, 'SIGKILL');
  expect(await eventually(() => command(redis.url, 'GET', 'kept'))).toBe('yes');
  await eventually(() => redis.pid !== pid);
  await redis.close();
  await expect(command(redis.url, 'PING')).rejects.toMatchObject({ why: 'refused' });
});

it('is given up where the data folder was removed and another one runs there: all use that one', async () => {
  const first = await start();
  await rm(dataDir, { recursive: true });
  const second = await start();
  expect(second.pid).not.toBe(first.pid);
  await eventually(() => expect(first.pid).toBe(second.pid));
  expect(await command(second.url, 'PING')).toBe('PONG');
});

it('is started again in a data folder that was removed', async () => {
  const first = await start();
  const { pid } = first;
  await rm(dataDir, { recursive: true });
  process.kill(pid, 'SIGKILL');
  await eventually(() => expect(first.pid).not.toBe(pid));
});

it('runs in a session of its own, where Ctrl-C in our terminal does not reach it', async () => {
  const { pid } = await start();
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // Only Linux tells; the fields after the name are state, parent, process group, session.
  const [, , group, session] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? ['', '', `${pid}`, `${pid}`];
  expect([group, session]).toEqual([String(pid), String(pid)]);
});

describe('a second start on the same folder', () => {
  it('joins the running Redis, and closing it leaves that running', async () => {
    const owner = await start();
    const guest = await start();
    expect(guest).toMatchObject({ url: owner.url, pid: owner.pid, kind: 'shared' });
    await guest.close();
    expect(await command(owner.url, 'PING')).toBe('PONG');
  });

  it('starts only one Redis when many start at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => start()));
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ kind }) => kind !== 'shared')).toHaveLength(1);
  });

  it('waits for one that is closing, and then has everything that was written', async () => {
    const owner = await start();
    await command(owner.url, 'SET', 'kept', 'yes');
    const closing = owner.close();
    const record = () => readFile(join(dataDir, 'redis.json'), 'utf8');
    await eventually(async () => expect(await record()).not.toContain('ownerPid'), { intervalMs: 1 });
    const next = await start();
    await closing;
    expect(next.kind).not.toBe('shared');
    expect(await command(next.url, 'GET', 'kept')).toBe('yes');
  });

  it('starts none beside one that still writes, whose owner was killed while it stopped it', async () => {
    await start();
    const path = join(dataDir, 'redis.json');
    const { ownerPid: _, ...stopping } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify(stopping));
    await expect(start()).rejects.toMatchObject({ why: 'start_failed', message: /still uses the data folder/ });
  });

  it('starts anew when the record names a port where nothing listens', async () => {
    const first = await start();
    const record = await readFile(join(dataDir, 'redis.json'), 'utf8');
    await first.close();
    await writeFile(join(dataDir, 'redis.json'), record);
    expect((await start()).kind).not.toBe('shared');
  });

  it('starts anew when the recorded process id is another program by now', async () => {
    const reused = { port: 1, pid: process.pid, runId: 'f'.repeat(40), ownerPid: process.pid };
    await writeFile(join(dataDir, 'redis.json'), JSON.stringify(reused));
    expect((await start()).kind).not.toBe('shared');
  });

  it('never takes a foreign Redis on the recorded port for its own', async () => {
    const foreign = { port: portOf(testRedisUrl()), pid: 999_999_999, runId: 'f'.repeat(40), ownerPid: process.pid };
    await writeFile(join(dataDir, 'redis.json'), JSON.stringify(foreign));
    const redis = await start();
    expect(redis.kind).not.toBe('shared');
    expect(portOf(redis.url)).not.toBe(foreign.port);
  });
});

describe('when it cannot start', () => {
  it('names the data folder that cannot be made', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const attempt = startEmbeddedRedis({ dataDir: join(file, 'below'), cacheDir });
    await expect(attempt).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      why: 'data_dir',
      advice: expect.stringContaining('DATA_DIR'),
    });
  });

  it('says that the wanted port is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await eventually(() => holder.listening);
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(start(port)).rejects.toMatchObject({ why: 'start_failed', message: /Address already in use/ });
    holder.close();
  });

  it('repeats what Redis said about damaged files', async () => {
    const first = await start();
    await command(first.url, 'SET', 'a', 'b');
    await first.close();
    await writeFile(join(dataDir, 'appendonlydir', 'appendonly.aof.manifest'), 'nonsense\n');
    await expect(start()).rejects.toMatchObject({ why: 'start_failed', message: /manifest/i });
  });
});
