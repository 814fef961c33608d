import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { startEmbeddedRedis } from '../../../src/embedded-redis/embedded-redis.ts';
import { askServerIdentity } from '../../../src/embedded-redis/running-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { pathInRepository } from '../../support/build.ts';
import { eventually } from '../../support/eventually.ts';
import { firstLine } from '../../support/first-line.ts';

/** Starts the embedded Redis, tells about it in one line, and ends when its stdin does, or by SIGTERM with a close. */
const OWNER_PROGRAM = `
  const [, module, options] = process.argv;
  const { startEmbeddedRedis } = await import(module);
  const redis = await startEmbeddedRedis(JSON.parse(options));
  const { url, kind, pid } = redis;
  process.once('SIGTERM', () => redis.close().then(() => process.exit(0)));
  console.log(JSON.stringify({ url, kind, pid }));
  process.stdin.on('end', () => process.exit(0)).resume();
`;
const loginOf = (url: string) => ({ port: Number(new URL(url).port), password: new URL(url).password });
const ownerRecord = z.object({ pid: z.int(), ownerPid: z.int() });
const Started = z.object({ url: z.string(), kind: z.string(), pid: z.int() });

const cacheDir = cacheDirFrom(process.env);
const owners: ChildProcess[] = [];
let dataDir: string;
beforeEach(async () => {
  dataDir = await realpath(await mkdtemp(join(tmpdir(), 'owner-process-')));
});
afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  await eventually(() => rm(dataDir, { recursive: true, force: true }));
});

async function startInProcess() {
  const options = JSON.stringify({ dataDir, cacheDir });
  const args = [
    '--input-type=module',
    '-e',
    OWNER_PROGRAM,
    pathInRepository('.compiled/embedded-redis/embedded-redis.js'),
    options,
  ];
  const owner = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  owners.push(owner);
  return { owner, redis: Started.parse(JSON.parse(await firstLine(owner))) };
}

async function write(url: string, key: string): Promise<void> {
  const client = await connectRedis({ kind: 'url', url }, 'producer');
  await client.set(key, 'written');
  await closeRedis(client);
}

/** An attempt that comes too early still finds it. */
async function isRefused(url: string): Promise<void> {
  const attempt = connectRedis({ kind: 'url', url }, 'producer').then(closeRedis, (error: unknown) => error);
  expect(await attempt).toMatchObject({ why: 'refused' });
}

/** The address is free again, and no client is served. */
const redisIsGone = (url: string) => eventually(() => isRefused(url));

it('takes Redis down with an owner that was killed, and the next start has all its data', async () => {
  const { owner, redis } = await startInProcess();
  await write(redis.url, 'before-kill');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const next = await startEmbeddedRedis({ dataDir, cacheDir });
  expect(next.pid).not.toBe(redis.pid);
  const client = await connectRedis({ kind: 'url', url: next.url }, 'producer');
  expect(await client.get('before-kill')).toBe('written');
  await closeRedis(client);
  await next.close();
});

it('takes Redis down with an owner that ends without closing it', async () => {
  const { owner, redis } = await startInProcess();
  owner.stdin?.end();
  await once(owner, 'exit');
  await redisIsGone(redis.url);
});

it('shares one Redis between processes that start at the same time', async () => {
  const all = await Promise.all([startInProcess(), startInProcess(), startInProcess()]);
  expect(new Set(all.map(({ redis }) => redis.pid)).size).toBe(1);
  expect(all.filter(({ redis }) => redis.kind === 'shared')).toHaveLength(2);
});

it('leaves Redis running when a process that shares it is killed', async () => {
  const { redis } = await startInProcess();
  const guest = await startInProcess();
  expect(guest.redis).toMatchObject({ kind: 'shared', pid: redis.pid });
  guest.owner.kill('SIGKILL');
  await once(guest.owner, 'exit');
  await expect(write(redis.url, 'after-guest')).resolves.toBeUndefined();
});

/** The Redis servers that use the data folder; only Linux tells. */
async function serversOfFolder(): Promise<number[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    processes.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const name = cwd === dataDir ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '') : '';
      return name.includes('-server') ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** The one server of the folder, once it is none of these and answers. */
async function nextServer(url: string, before: readonly number[]): Promise<number> {
  return await eventually(async () => {
    const identity = await askServerIdentity(loginOf(url));
    if (identity === undefined || before.includes(identity.pid)) throw new Error('not yet');
    expect(await serversOfFolder()).toEqual([identity.pid]);
    return identity.pid;
  });
}

/** The process that started the server `pid`; it tells so after the server answers. */
async function ownerOf(pid: number): Promise<number> {
  return await eventually(async () => {
    const record = ownerRecord.parse(JSON.parse(await readFile(join(dataDir, 'redis.json'), 'utf8')));
    expect(record.pid).toBe(pid);
    return record.ownerPid;
  });
}

describe.runIf(process.platform === 'linux')('the Redis that several processes share', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'is started again where it was by one of the others, when its owner ends by %s',
    async (signal) => {
      const { owner, redis } = await startInProcess();
      await startInProcess();
      await startInProcess();
      const client = await connectRedis({ kind: 'url', url: redis.url }, 'worker');
      await client.set('kept', 'yes');
      owner.kill(signal);
      const second = await nextServer(redis.url, [redis.pid]);
      expect(await client.get('kept')).toBe('yes');

      process.kill(await ownerOf(second), signal);
      await nextServer(redis.url, [redis.pid, second]);
      expect(await client.get('kept')).toBe('yes');
      await closeRedis(client);
    },
  );

  it('is stopped by one that is told to end while it starts it', async () => {
    const { owner, redis } = await startInProcess();
    let closed: Promise<void> | undefined;
    const next = await startEmbeddedRedis({
      dataDir,
      cacheDir,
      onStart: async () => {
        closed = next.close();
      },
    });
    owner.kill('SIGKILL');
    await eventually(() => closed !== undefined);
    await closed;
    await redisIsGone(redis.url);
    expect(await serversOfFolder()).toEqual([]);
  });

  it('is started only once when it ends by itself, although all look for it', async () => {
    const { redis } = await startInProcess();
    await startInProcess();
    await startInProcess();
    process.kill(redis.pid, 'SIGKILL');
    const second = await nextServer(redis.url, [redis.pid]);
    process.kill(second, 'SIGKILL');
    await nextServer(redis.url, [redis.pid, second]);
  });

  it('is left by none of them when all end at the same time', async () => {
    const all = [await startInProcess(), await startInProcess(), await startInProcess()];
    const ended = all.map(({ owner }) => once(owner, 'exit'));
    for (const { owner } of all) owner.kill('SIGTERM');
    expect(await Promise.all(ended)).toEqual(all.map(() => [0, null]));
    expect(await serversOfFolder()).toEqual([]);
  });
});
