import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheDirFrom } from '../../src/config/load-config.ts';
import { startEmbeddedRedis } from '../../src/embedded-redis/embedded-redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the Redis that was started for the whole run. */
    redisUrl: string;
  }
}

/** Starts one real Redis for the test project and stops it afterwards. Tests keep apart by `freshPrefix()`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tiktok-publisher-tests-'));
  const redis = await startEmbeddedRedis({ dataDir, cacheDir: cacheDirFrom(process.env) });
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}
