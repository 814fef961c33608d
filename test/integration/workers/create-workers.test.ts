import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { createWorkers, type TokenSource } from '../../../src/workers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { rejection } from '../../support/rejection.ts';

const PULL = { type: 'pull', url: 'https://videos.example/a.mp4' } as const;
const ENCRYPTION_KEYS = Buffer.alloc(32, 7).toString('base64');

afterEach(() => vi.unstubAllEnvs());

/** A simulated TikTok, the settings of this process, and a producer. */
async function startWorld(redisUrl = testRedisUrl()) {
  const simulator = await startSimulator({
    processingMs: 10,
    pullMs: 10,
    verifiedUrlPrefixes: ['https://videos.example/'],
  });
  onTestFinished(() => simulator.close());
  const settings = {
    ENCRYPTION_KEYS,
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_PUBLISHER_LOG_LEVEL: 'silent',
    PREFLIGHT: 'off',
  };
  for (const [variable, value] of Object.entries(settings)) vi.stubEnv(variable, value);
  const queuePrefix = freshPrefix();
  const redis = { kind: 'url', url: redisUrl } as const;
  const publisher = createPublisherFromConfig({
    redis,
    dataDir: '',
    cacheDir: '',
    queuePrefix,
  });
  onTestFinished(() => publisher.close());
  const publish = async () => await publisher.enqueue({ account: 'acme', mode: 'inbox', media: PULL });
  return { simulator, publisher, publish, where: { redisUrl, queuePrefix } };
}

describe('createWorkers', () => {
  it('lets jobs wait while the source says that the owner must help, and go on at once when woken', async () => {
    const { simulator, publisher, publish, where } = await startWorld();
    let token: string | undefined;
    const tokens: TokenSource = {
      async accessToken(account) {
        if (token !== undefined) return token;
        throw new PublishError('AUTH_REAUTHORIZATION_REQUIRED', { reason: `"${account}" has withdrawn` });
      },
    };
    const workers = await createWorkers({ ...where, tokens });
    onTestFinished(() => workers.close({ timeoutMs: 0 }));
    expect(workers.isRunning()).toBe(true);
    const { id } = await publish();
    await eventually(async () => (await publisher.get(id))?.waitingFor === 'reauthorization');
    token = simulator.addAccount().accessToken;
    await workers.wake('acme');
    await eventually(async () => (await publisher.get(id))?.publishId !== null);
    expect(await workers.metrics()).toContain('tiktok_deferrals_total{reason="reauthorization"} 1');
    await workers.close();
    expect(workers.isRunning()).toBe(false);
    await workers.close();
  });

  it('takes tokens from the vault unless given a source', async () => {
    const { publisher, publish, where } = await startWorld();
    const workers = await createWorkers({ ...where, only: ['upload'] });
    onTestFinished(() => workers.close({ timeoutMs: 0 }));
    const { id } = await publish();
    const job = await eventually(async () => {
      const found = await publisher.get(id);
      return found?.state === 'failed' && found;
    });
    expect(job).toMatchObject({
      failure: { code: 'INPUT_ACCOUNT_UNKNOWN', message: expect.stringContaining('stored') },
    });
  });

  it('says what is wrong with the settings, and what with Redis', async () => {
    const { where } = await startWorld();
    vi.stubEnv('UPLOAD_CONCURRENCY', 'many');
    expect((await rejection(createWorkers(where))).message).toContain('UPLOAD_CONCURRENCY');
    vi.stubEnv('UPLOAD_CONCURRENCY', '1');
    vi.stubEnv('REDIS_START_WAIT_MS', '0');
    await expect(createWorkers({ ...where, redisUrl: 'redis://127.0.0.1:9' })).rejects.toThrow(
      'connection refused, no server is listening there',
    );
  });

  it('closes although Redis is gone', async () => {
    const server = await startRedisServer(['save ""', 'maxmemory-policy noeviction']);
    onTestFinished(() => server.close());
    const { where } = await startWorld(`redis://127.0.0.1:${server.port}`);
    const workers = await createWorkers({ ...where, tokens: { accessToken: async () => 'act.1' } });
    await server.close();
    await workers.close({ timeoutMs: 10 });
    expect(workers.isRunning()).toBe(false);
  }, 20_000);
});
