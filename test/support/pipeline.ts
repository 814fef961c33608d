import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { onTestFinished } from 'vitest';
import { openApp } from '../../src/app/open-app.ts';
import { openParts, openService } from '../../src/app/open-service.ts';
import { type RunWorkersOptions, runWorkers } from '../../src/app/open-workers.ts';
import { publisherOn } from '../../src/app/publisher-on.ts';
import { workerParts } from '../../src/app/worker-parts.ts';
import { type Config, loadConfig } from '../../src/config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../../src/core/poll-schedule.ts';
import type { OpenMedia } from '../../src/core/ports.ts';
import type { PublishEvent } from '../../src/core/publish-event.ts';
import type { RetryPolicy } from '../../src/core/retry-policy.ts';
import { wakeLane } from '../../src/limits/wake-jobs.ts';
import { type AccountTokens, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { createTikTokClient, type TikTokClientOptions } from '../../src/tiktok/index.ts';
import type { WorkerDeps } from '../../src/workers/deps.ts';
import type { RunningWorkers } from '../../src/workers/runtime/start-workers.ts';
import { freshPrefix, testRedisUrl } from './redis.ts';

/** A poll schedule of a few ms, so that tests need not wait. */
export const RAPID_POLLS: PollSchedule = {
  ...DEFAULT_POLL_SCHEDULE,
  firstMs: 40,
  maxMs: 120,
  minPerOpenJobMs: 0,
};

/** Retries of a few ms. */
export const RAPID_RETRIES: RetryPolicy = { maxAttempts: 4, baseMs: 60, factor: 1.5, maxMs: 200 };

export interface PipelineOptions {
  readonly simulator?: SimulatorOptions;
  readonly polls?: PollSchedule;
  readonly retries?: RetryPolicy;
  readonly chunkSizeBytes?: number;
  /** Start workers at once (default). */
  readonly workers?: boolean;
  readonly redisUrl?: string;
  /** Replicas that must have what can't be taken back; by default none. */
  readonly waitReplicas?: number;
  /** Nothing is logged unless given. */
  readonly log?: Logger;
  readonly maxWaitMs?: number;
  readonly pullStallMs?: number;
  /** Opens the media whose bytes we send; by default as the settings have it. */
  readonly openMedia?: OpenMedia;
  /** Hold videos against TikTok's limits, and direct posts against what their creators may post (not unless told). */
  readonly preflight?: 'refuse' | 'warn' | 'off';
  /** What happens to a job whose video its account has; by default nobody looks. */
  readonly onDuplicate?: 'allow' | 'warn' | 'refuse';
  /** How long a published video counts for that (ms). */
  readonly duplicateWindowMs?: number;
  /** Uploads of one account at the same time; one unless told. */
  readonly uploadsPerAccount?: number;
  /** What deliveries are signed with, and whom they may reach; by default this machine. */
  readonly callbackSecrets?: readonly string[];
  readonly allowHosts?: readonly string[];
  readonly callbackContentType?: Config['callbackContentType'];
  /** Port of the web server, from which TikTok then downloads media (see `startPullSite`). */
  readonly webPort?: number;
  /** Time by which TikTok's sockets must answer (ms). */
  readonly stallMs?: number;
  /** Another TikTok than the simulator, and how it is called. */
  readonly tiktok?: TikTokClientOptions;
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** A pipeline that ends with the test that starts it. */
export async function startTestPipeline(options?: PipelineOptions): Promise<Pipeline> {
  const pipeline = await startPipeline(options);
  onTestFinished(() => pipeline.close());
  return pipeline;
}

/** The whole machine in this process, on a real Redis and the simulator over real HTTP, with rapid schedules. */
export async function startPipeline(options: PipelineOptions = {}) {
  const simulator = await startSimulator(options.simulator ?? {});
  const prefix = freshPrefix();
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-videos-'));
  const app = await openApp(configOf(options, { simulator, prefix, dataDir: join(folder, 'data') }), {
    log: options.log ?? pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
  });
  const stallMs = options.stallMs ?? 2_000;
  const tiktok = createTikTokClient(
    options.tiktok ?? { apiBaseUrl: simulator.url, timeouts: { answerMs: 2_000, stallMs } },
  );
  app.onClose(() => tiktok.close());
  const service = await openService(app, { tiktok });
  const { redis, queues, vault, tokens, metrics, webhooks } = service;
  const { keys, requestSecrets } = app;
  const deps = workerParts(service, {
    ...(options.openMedia !== undefined && { openMedia: options.openMedia }),
    settings: {
      chunkSizeBytes: options.chunkSizeBytes ?? 5_242_880,
      pollSchedule: options.polls ?? RAPID_POLLS,
      retryPolicy: options.retries ?? RAPID_RETRIES,
    },
  });
  const publisher = publisherOn(app, openParts(app, await app.connect('producer'), { tiktok }));

  /** Starts workers on other parts; they end with the pipeline. */
  async function startWorkersWith(
    others: Partial<WorkerDeps>,
    run: RunWorkersOptions = { only: ['upload', 'status'] },
  ): Promise<RunningWorkers> {
    return await runWorkers(service, { ...deps, ...others }, run);
  }

  async function addAccount(
    name: string,
    profile: Parameters<typeof simulator.addAccount>[0] = {},
  ): Promise<AccountTokens> {
    const account = simulator.addAccount(profile);
    await vault.add({
      account: name,
      openId: account.openId,
      accessToken: account.accessToken,
      expiresInSeconds: account.expiresIn,
      refreshToken: account.refreshToken,
      refreshExpiresInSeconds: account.refreshExpiresIn,
      scope: account.scope,
    });
    return account;
  }

  if (options.workers !== false) await startWorkersWith({});
  const account = await addAccount('acme');

  return {
    simulator,
    publisher,
    account,
    addAccount,
    vault,
    tokens,
    deps,
    requestSecrets,
    metrics,
    webhooks,
    prefix,
    redis,
    keys,
    queues,
    folder,
    app,
    service,
    startWorkers: () => startWorkersWith({}),
    startWorkersWith,
    /** Lets an account go on, as the commands do after `resume` and `add`. */
    wakeLane: async (account: string) => await wakeLane(account, service),

    /** Events since the pipeline has its account, oldest first. */
    async events(): Promise<PublishEvent[]> {
      const entries = await redis.xrange(keys.events, '-', '+');
      return entries
        .map(([, fields]) => JSON.parse(fields[fields.indexOf('event') + 1] ?? '') as PublishEvent)
        .filter(({ type }) => type !== 'account.connected');
    },

    async close(): Promise<void> {
      await app.close();
      await simulator.close();
      // The ledger's version may still be on its way into its file.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** The settings of a deployment, as the environment would give them. */
function configOf(
  options: PipelineOptions,
  on: {
    readonly simulator: { readonly url: string; readonly clientKey: string; readonly clientSecret: string };
    readonly prefix: string;
    readonly dataDir: string;
  },
): Config {
  const config = loadConfig({
    REDIS_URL: options.redisUrl ?? testRedisUrl(),
    QUEUE_PREFIX: on.prefix,
    DATA_DIR: on.dataDir,
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    TIKTOK_API_BASE_URL: options.tiktok?.apiBaseUrl ?? on.simulator.url,
    TIKTOK_CLIENT_KEY: on.simulator.clientKey,
    TIKTOK_CLIENT_SECRET: on.simulator.clientSecret,
    ...(options.webPort !== undefined && {
      PORT: String(options.webPort),
      PUBLIC_BASE_URL: `http://127.0.0.1:${options.webPort}`,
    }),
  });
  return {
    ...config,
    upload: { ...config.upload, concurrency: 4 },
    status: { ...config.status, concurrency: 20 },
    shutdownTimeoutMs: 0,
    outboundAllowHosts: [...(options.allowHosts ?? ['127.0.0.1'])],
    ...(options.callbackContentType !== undefined && { callbackContentType: options.callbackContentType }),
    ...(options.callbackSecrets !== undefined && { callbackSecrets: [...options.callbackSecrets] }),
    redisWaitReplicas: options.waitReplicas,
    retentionMs: 86_400_000,
    maxWaitMs: options.maxWaitMs ?? 86_400_000,
    pullStallMs: options.pullStallMs ?? 1_200_000,
    preflight: options.preflight ?? 'off',
    onDuplicate: options.onDuplicate ?? 'allow',
    duplicateWindowMs: options.duplicateWindowMs ?? 86_400_000,
    uploadsPerAccount: options.uploadsPerAccount ?? 1,
  };
}
