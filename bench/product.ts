import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublisherFromConfig } from '../src/app/create-publisher.ts';
import type { PublishRequest } from '../src/core/publish-request.ts';
import { createKeys } from '../src/redis/keys.ts';
import { makeVideo } from '../test/support/videos.ts';
import { startProgram, startRedis } from './lab.ts';

export const QUEUE_PREFIX = '{bench}';
/** The app at TikTok, whose webhooks are signed with the secret. */
export const TIKTOK_APP = { key: 'bench', secret: 'bench-secret' } as const;
const VIDEO_BYTES = 1_000;
export const CONCURRENCY = 50;

interface ProductOptions {
  /** When a worker polls, and at which poll TikTok is done. */
  readonly pollMs: readonly number[];
  readonly pollsUntilDone: number;
  /** How often a worker sweeps (ms); by default as always. */
  readonly sweepEveryMs?: number;
  /** More settings of the product's processes, by environment variable. */
  readonly settings?: Readonly<Record<string, string>>;
}

export type Product = Awaited<ReturnType<typeof openProduct>>;

/** The product on a Redis and a TikTok of its own: a publisher here, the rest in processes that are started when asked. */
export async function openProduct({ pollMs, pollsUntilDone, sweepEveryMs, settings = {} }: ProductOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const path = await makeVideo(folder, VIDEO_BYTES);
  const redis = await startRedis();
  const tiktok = await startProgram('tiktok', { pollsUntilDone });
  const environment = {
    ...productEnvironment(redis.url, await tiktok.ask<string>('url')),
    ...{ DATA_DIR: folder, PORT: '0', API_RATE_LIMIT_PER_MINUTE: '1000000' },
    ...{ TIKTOK_CLIENT_KEY: TIKTOK_APP.key, TIKTOK_CLIENT_SECRET: TIKTOK_APP.secret },
    ...settings,
  };
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: redis.url },
    ...{ dataDir: folder, cacheDir: '', queuePrefix: QUEUE_PREFIX },
    outboundAllowHosts: settings.OUTBOUND_ALLOW_HOSTS?.split(',') ?? [],
  });
  const closers = [() => publisher.close(), () => tiktok.end(), () => redis.close()];

  async function start(name: string, settings: unknown, isOwn = true) {
    const program = await startProgram(name, settings, { isOwn });
    closers.unshift(() => program.end());
    return program;
  }

  return {
    ...{ redis, tiktok, publisher, environment, keys: createKeys(QUEUE_PREFIX) },
    request: (account: string) => directPost(account, path),
    startWorker: () => start('product-worker', { environment, pollMs, sweepEveryMs }),
    startServer: () => start('product-server', { environment }),
    startWatcher: () => start('product-watcher', { redisUrl: redis.url, queuePrefix: QUEUE_PREFIX }, false),
    async close() {
      for (const close of closers) await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The settings of the product's processes. */
export function productEnvironment(redisUrl: string, tiktokUrl: string) {
  return {
    ...{ REDIS_URL: redisUrl, QUEUE_PREFIX, TIKTOK_API_BASE_URL: tiktokUrl, PREFLIGHT: 'off', LOG_LEVEL: 'error' },
    ...{ UPLOAD_CONCURRENCY: String(CONCURRENCY), STATUS_CONCURRENCY: String(CONCURRENCY) },
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
}

/** A post of a file of this machine. */
export function directPost(account: string, path: string): PublishRequest {
  return {
    ...{ account, mode: 'direct', media: { type: 'file', path } },
    post: { title: `A video of ${account}`, privacyLevel: 'SELF_ONLY' },
  };
}
