import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { provideRedis } from '../../../src/embedded-redis/provide-redis.ts';
import { findRedisProgram } from '../../../src/embedded-redis/redis-binary.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { testRedisUrl } from '../../support/redis.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-redis-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Puts a program that prints the given version alone on the PATH. */
async function onlyOnPath(name: string, printed: string): Promise<void> {
  const program = join(folder, name);
  await writeFile(program, `#!/bin/sh\necho '${printed}'\n`);
  await chmod(program, 0o755);
  vi.stubEnv('PATH', folder);
}

it.each([
  ['redis-server', 'Redis server v=7.4.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '7.4.1'],
  ['valkey-server', 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '8.0.1'],
])('takes a %s from the PATH', async (command, printed, version) => {
  await onlyOnPath(command, printed);
  expect(await findRedisProgram({ cacheDir: folder })).toEqual({ kind: 'system', command, version });
});

it('passes over a Redis that is too old', async () => {
  await onlyOnPath('redis-server', 'Redis server v=6.0.16 sha=0 malloc=jemalloc bits=64 build=1');
  await expect(findRedisProgram({ cacheDir: join(folder, 'cache') })).rejects.toMatchObject({ why: 'no_program' });
});

it('says how to get a Redis when there is none and none can be fetched', async () => {
  vi.stubEnv('PATH', folder);
  const config = {
    redis: { kind: 'embedded' },
    dataDir: join(folder, 'data'),
    cacheDir: join(folder, 'cache'),
  } as const;
  await expect(provideRedis(config, { starter: 'service' })).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    why: 'no_program',
    advice: expect.stringMatching(/apt-get install[\s\S]*docker run[\s\S]*REDIS_URL/),
  });
});

it('runs no Redis from a cache folder that every user can change', async () => {
  const os = await readFile('/etc/os-release', 'utf8');
  const [, id] = /^ID="?([\w.-]+)"?$/m.exec(os) ?? [];
  const [, release] = /^VERSION_ID="?([\w.-]+)"?$/m.exec(os) ?? [];
  const cacheDir = join(folder, 'cache');
  const programs = join(cacheDir, `redis-${id}-${release}-${process.arch}-7.4.1`, 'usr');
  await mkdir(join(programs, 'lib'), { recursive: true });
  await mkdir(join(programs, 'bin'));
  await writeFile(join(programs, 'bin', 'redis-server'), '#!/bin/sh\n');
  await chmod(cacheDir, 0o777);
  vi.stubEnv('PATH', folder);
  await expect(findRedisProgram({ cacheDir })).rejects.toMatchObject({
    why: 'no_program',
    message: `there is no redis-server on the PATH, and the cache folder ${cacheDir} can be changed by every user`,
  });
});

it('uses the Redis of the settings and leaves it running', async () => {
  const redis = { kind: 'url', url: testRedisUrl() } as const;
  const provided = await provideRedis({ redis, dataDir: join(folder, 'data'), cacheDir: cacheDirFrom(process.env) });
  expect(provided).toMatchObject({ kind: 'external', target: redis });
  await provided.close();
  const client = await connectRedis(provided.target, 'producer');
  expect(await client.ping()).toBe('PONG');
  await closeRedis(client);
});
