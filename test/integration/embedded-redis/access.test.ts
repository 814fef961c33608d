import {
  chmod,
  chown,
  lchown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import {
  type EmbeddedRedis,
  joinEmbeddedRedis,
  startEmbeddedRedis,
} from '../../../src/embedded-redis/embedded-redis.ts';
import { provideRedis } from '../../../src/embedded-redis/provide-redis.ts';
import { currentLogin, lastLogin, readRecord } from '../../../src/embedded-redis/running-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { eventually } from '../../support/eventually.ts';

const cacheDir = cacheDirFrom(process.env);
const started: EmbeddedRedis[] = [];
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-redis-access-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.close()));
  await rm(dataDir, { recursive: true, force: true });
});

async function start(options: { log?: pino.Logger } = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir, cacheDir, ...options });
  started.push(redis);
  return redis;
}

async function command(url: string, ...call: string[]): Promise<unknown> {
  const [name = '', ...args] = call;
  const client = await connectRedis({ kind: 'url', url }, 'probe');
  try {
    return await client.call(name, ...args);
  } finally {
    await closeRedis(client);
  }
}

function withoutPassword(url: string): string {
  const open = new URL(url);
  open.password = '';
  return open.href;
}

describe('the embedded Redis', () => {
  it('answers nobody on the machine who does not know its password', async () => {
    const { url } = await start();
    expect(await command(url, 'PING')).toBe('PONG');
    await expect(command(withoutPassword(url), 'PING')).rejects.toMatchObject({ message: /password|NOAUTH/i });
    const guessed = new URL(url);
    guessed.password = '0'.repeat(64);
    await expect(command(guessed.href, 'PING')).rejects.toThrow();
  });

  it.each([
    ['CONFIG', 'SET', 'dir', '/tmp'],
    ['CONFIG', 'REWRITE'],
    ['MODULE', 'LOAD', '/tmp/a.so'],
    ['DEBUG', 'SLEEP', '0'],
    ['REPLICAOF', '127.0.0.1', '1'],
    ['SLAVEOF', '127.0.0.1', '1'],
    ['ACL', 'SETUSER', 'other', 'on', 'nopass', '~*', '+@all'],
    ['MIGRATE', '127.0.0.1', '1', 'key', '0', '10'],
    ['SHUTDOWN', 'NOSAVE'],
  ])('runs no %s %s, whoever asks', async (...call) => {
    const { url } = await start();
    await expect(command(url, ...call)).rejects.toThrow(/NOPERM|not allowed/);
    expect(await command(url, 'PING')).toBe('PONG');
  });

  it('keeps its password over a restart and a takeover, so that connections come back', async () => {
    const first = await start();
    const client = await connectRedis({ kind: 'url', url: first.url }, 'worker');
    await client.set('kept', 'yes');
    const { pid } = first;
    process.kill(pid, 'SIGKILL');
    await eventually(() => first.pid !== pid);
    expect(await client.get('kept')).toBe('yes');
    await closeRedis(client);
    await first.close();
    expect((await start()).url).toBe(first.url);
  });

  it('has another password in another folder', async () => {
    const other = await mkdtemp(join(tmpdir(), 'embedded-redis-access-'));
    const second = await startEmbeddedRedis({ dataDir: other, cacheDir });
    try {
      expect(new URL(second.url).password).not.toBe(new URL((await start()).url).password);
      expect(new URL(second.url).password).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      await second.close();
      await rm(other, { recursive: true });
    }
  });

  it('writes files that only this user reads, and its address for his other programs', async () => {
    const { url } = await start();
    await command(url, 'SET', 'a', 'b');
    const names = await readdir(dataDir, { recursive: true });
    expect(names).toEqual(expect.arrayContaining(['redis.json', 'redis-url', 'redis.log', 'appendonlydir']));
    for (const name of names) expect((await stat(join(dataDir, name))).mode & 0o077, name).toBe(0);
    expect(await readFile(join(dataDir, 'redis-url'), 'utf8')).toBe(`${url}\n`);
  });

  it('shows its password in no argument, log or error', async () => {
    const lines: string[] = [];
    const log = pino(
      { level: 'trace' },
      new Writable({ write: (line, _, done) => done(void lines.push(String(line))) }),
    );
    const first = await start({ log });
    const { password } = new URL(first.url);
    const shown = [await readFile(`/proc/${first.pid}/cmdline`, 'utf8').catch(() => '')];
    const { pid } = first;
    process.kill(pid, 'SIGKILL');
    await eventually(() => first.pid !== pid);
    await (await start({ log })).close();
    await first.close();
    shown.push(...lines, await readFile(join(dataDir, 'redis.log'), 'utf8'));
    const error: unknown = await connectRedis({ kind: 'url', url: first.url }, 'probe').catch(
      (thrown: unknown) => thrown,
    );
    shown.push(JSON.stringify(error, Object.getOwnPropertyNames(error)));
    expect(lines.length).toBeGreaterThan(2);
    expect(shown.join('\n')).not.toContain(password);
  });

  it('is guarded as well where it is an imitation in memory', async () => {
    const path = process.env.PATH;
    // No Redis program, and none to be downloaded.
    process.env.PATH = dataDir;
    try {
      const redis = { kind: 'embedded' } as const;
      const own = await provideRedis({ redis, dataDir, cacheDir: join(dataDir, 'cache') }, { starter: 'trial' });
      const { target } = own;
      if (target.kind !== 'url') throw new Error('expected a URL');
      expect(own.kind).toBe('in-memory');
      expect(await command(target.url, 'PING')).toBe('PONG');
      await expect(command(withoutPassword(target.url), 'PING')).rejects.toThrow();
      await own.close();
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('a data folder', () => {
  it.each([0o755, 0o750, 0o770, 0o701])('that is open to others is refused (mode %o)', async (mode) => {
    await chmod(dataDir, mode);
    const refused = { why: 'data_dir', message: expect.stringContaining('is open to other users') as string };
    await expect(start()).rejects.toMatchObject(refused);
    await expect(joinEmbeddedRedis({ dataDir, cacheDir })).rejects.toMatchObject(refused);
    expect(await readdir(dataDir)).toEqual([]);
    await chmod(dataDir, 0o700);
    expect((await start()).kind).not.toBe('shared');
  });

  it.runIf(process.getuid?.() === 0)('of another user is refused', async () => {
    await chown(dataDir, 12_345, 12_345);
    const refused = { why: 'data_dir', message: expect.stringContaining('belongs to another user (12345)') as string };
    await expect(start()).rejects.toMatchObject(refused);
    await expect(joinEmbeddedRedis({ dataDir, cacheDir })).rejects.toMatchObject(refused);
  });

  it.each<[string, boolean, (folder: string) => Promise<unknown>]>([
    ['a folder that is open to others', true, (folder) => chmod(folder, 0o755)],
    ['a folder of another user', process.getuid?.() === 0, (folder) => chown(folder, 12_345, 12_345)],
    ['a file of another user', process.getuid?.() === 0, (folder) => chown(join(folder, 'redis.json'), 12_345, 12_345)],
    [
      'a link to a file',
      true,
      async (folder) => {
        await rename(join(folder, 'redis.json'), join(folder, 'elsewhere'));
        await symlink(join(folder, 'elsewhere'), join(folder, 'redis.json'));
      },
    ],
  ])('in whose place is put %s gives its Redis away to nobody', async (_, canBeTried, put) => {
    if (!canBeTried) return;
    const { url } = await start();
    const stolen = `${dataDir}-stolen`;
    onTestFinished(() => rm(stolen, { recursive: true, force: true }));
    const record = JSON.parse(await readFile(join(dataDir, 'redis.json'), 'utf8'));
    await rename(dataDir, stolen);
    await mkdir(dataDir, { mode: 0o700 });
    const theirs = JSON.stringify({ ...record, runId: 'theirs', port: 1, password: 'evil' });
    await writeFile(join(dataDir, 'redis.json'), theirs, { mode: 0o600 });
    expect(currentLogin(dataDir)).toMatchObject({ port: 1 });
    await put(dataDir);
    expect(currentLogin(dataDir)).toBeUndefined();
    expect(await lastLogin(dataDir)).toBeUndefined();
    expect(await readRecord(dataDir)).toBeUndefined();
    expect(await command(url, 'PING')).toBe('PONG');
  });

  it.runIf(process.getuid?.() === 0)('to which a link of another user leads is refused', async () => {
    const link = `${dataDir}-link`;
    await symlink(dataDir, link);
    onTestFinished(() => rm(link));
    const own = await startEmbeddedRedis({ dataDir: link, cacheDir });
    await own.close();
    await lchown(link, 12_345, 12_345);
    const refused = { why: 'data_dir', message: expect.stringContaining('belongs to another user (12345)') as string };
    await expect(startEmbeddedRedis({ dataDir: link, cacheDir })).rejects.toMatchObject(refused);
    await expect(joinEmbeddedRedis({ dataDir: link, cacheDir })).rejects.toMatchObject(refused);
  });
});
