import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp } from '../../../src/app/open-app.ts';
import { cacheDirFrom, loadConfig } from '../../../src/config/load-config.ts';
import { type ProvidedRedis, provideRedis, type RedisStarter } from '../../../src/embedded-redis/provide-redis.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';

const cacheDir = cacheDirFrom(process.env);
let folder: string;
let provided: ProvidedRedis[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'provide-redis-')));
  provided = [];
});
afterEach(async () => {
  for (const redis of provided.reverse()) await redis.close();
  await rm(folder, { recursive: true, force: true });
});

async function provide(name: string, starter?: RedisStarter): Promise<ProvidedRedis> {
  const config = { redis: { kind: 'embedded' }, dataDir: join(folder, name), cacheDir } as const;
  const redis = await provideRedis(config, { starter });
  provided.push(redis);
  return redis;
}

function portOf({ target }: ProvidedRedis): number {
  return target.kind === 'url' ? Number(new URL(target.url).port) : 0;
}

describe('connections to a Redis of ours', () => {
  it('find it again when it is started on another port, because its own was taken', async () => {
    const first = await provide('a', 'service');
    const client = await connectRedis((await provide('a')).target, 'worker');
    await client.set('kept', 'yes');
    await first.close();
    const holder = createServer((socket) => socket.destroy()).listen(portOf(first), '127.0.0.1');
    await once(holder, 'listening');
    const second = await provide('a', 'service');
    expect(portOf(second)).not.toBe(portOf(first));
    expect(await client.get('kept')).toBe('yes');
    await closeRedis(client);
    holder.close();
  });
});

describe('a Redis of ours that is too busy to answer', () => {
  it('is waited for, and never taken for one that does not run', async () => {
    const service = await provide('a', 'service');
    const client = await connectRedis(service.target, 'producer');
    // Answers nobody meanwhile, for longer than one question waits.
    await client.call('CLIENT', 'PAUSE', '1500', 'ALL');
    await expect(provide('b')).rejects.toMatchObject({ message: expect.stringContaining(join(folder, 'a')) });
    expect(await provide('a')).toMatchObject({ kind: 'shared' });
    await closeRedis(client);
  });
});

describe('a service that uses the Redis of another service', () => {
  it('goes on with it when that one ends; who comes meanwhile waits, and other folders hear of it', async () => {
    const first = await provide('a', 'service');
    await provide('a', 'service');
    await first.close();
    const client = await connectRedis((await provide('a')).target, 'producer');
    expect(await client.ping()).toBe('PONG');
    await closeRedis(client);
    await expect(provide('b')).rejects.toMatchObject({ message: expect.stringContaining(join(folder, 'a')) });
  });

  it('connects at its start too once it goes on', async () => {
    const first = await provide('a', 'service');
    const config = loadConfig({ DATA_DIR: join(folder, 'a'), LOG_LEVEL: 'silent' });
    const app = await openApp(config, { starter: 'service', start: {} });
    await first.close();
    expect(await (await app.connect('producer')).ping()).toBe('PONG');
    await app.close();
  });

  it('leaves it to services: a command that uses it starts none', async () => {
    const first = await provide('a', 'service');
    await provide('a');
    await first.close();
    await expect(provide('a')).rejects.toMatchObject({ why: 'not_running' });
  });
});

describe('a folder whose service runs', () => {
  it('is named to who asks in another folder, and to a service that starts there', async () => {
    await provide('a', 'service');
    await expect(provide('b')).rejects.toMatchObject({
      why: 'not_running',
      message: expect.stringMatching(new RegExp(`running in ${folder}/b .* is running in .*${folder}/a`)),
      advice: expect.stringContaining('tiktok-publisher start'),
    });
    expect((await provide('b', 'service')).notice).toContain(join(folder, 'a'));
  });

  it('is not named when it is only a trial', async () => {
    await provide('a', 'trial');
    await expect(provide('b')).rejects.toMatchObject({ message: expect.not.stringContaining(join(folder, 'a')) });
  });
});
