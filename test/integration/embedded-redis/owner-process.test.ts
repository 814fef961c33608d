import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { startEmbeddedRedis } from '../../../src/embedded-redis/embedded-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { pathInRepository } from '../../support/build.ts';
import { eventually } from '../../support/eventually.ts';
import { firstLine } from '../../support/first-line.ts';

/** Starts the embedded Redis, tells about it in one line, and ends when its stdin does. */
const OWNER_PROGRAM = `
  const [, module, options] = process.argv;
  const { startEmbeddedRedis } = await import(module);
  const { url, kind, pid } = await startEmbeddedRedis(JSON.parse(options));
  console.log(JSON.stringify({ url, kind, pid }));
  process.stdin.on('end', () => process.exit(0)).resume();
`;
const Started = z.object({ url: z.string(), kind: z.string(), pid: z.int() });

const cacheDir = cacheDirFrom(process.env);
const owners: ChildProcess[] = [];
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'owner-process-'));
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
    pathInRepository('dist/embedded-redis/embedded-redis.js'),
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
