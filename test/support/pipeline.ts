import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { createAccountNames } from '../../src/accounts/account-names.ts';
import { createVaultTokenSource } from '../../src/accounts/token-source.ts';
import { createAccountVault } from '../../src/accounts/vault.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../../src/core/poll-schedule.ts';
import type { OpenMedia } from '../../src/core/ports.ts';
import type { PublishEvent } from '../../src/core/publish-event.ts';
import type { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createCreatorCache } from '../../src/creators/creator-cache.ts';
import { createLanes, DEFAULT_LANE_LIMIT } from '../../src/lanes/lanes.ts';
import { wakeLane } from '../../src/lanes/wake-jobs.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { createVideoClaims } from '../../src/ledger/video-claims.ts';
import { openFileSource } from '../../src/media/file-source.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { probeMedia } from '../../src/preflight/probe-media.ts';
import { createPublisherFromConfig } from '../../src/producers/create-publisher.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { createCaps } from '../../src/quota/caps.ts';
import { createSlots } from '../../src/quota/slots.ts';
import { closeRedis, connectRedis } from '../../src/redis/connections.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { openConfirmation } from '../../src/redis/open-confirmation.ts';
import { restoreSealingKey } from '../../src/sealing/published-key.ts';
import { createRequestSecrets } from '../../src/sealing/request-box.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { type AccountTokens, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { createWebhookArrivals } from '../../src/webhooks/arrivals.ts';
import { type RunningWorkers, startWorkers, type WorkerDeps } from '../../src/workers/index.ts';
import { rememberJobs } from '../../src/workers/job-memory.ts';
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
  /** Opens the media whose bytes we send; local files unless told. */
  readonly openMedia?: OpenMedia;
  /** Hold videos against TikTok's limits, and direct posts against what their creators may post (not unless told). */
  readonly preflight?: 'refuse' | 'warn' | 'off';
  /** What happens to a job whose video its account has; nobody looks unless told. */
  readonly onDuplicate?: 'allow' | 'warn' | 'refuse';
  /** How long a published video counts for that (ms). */
  readonly duplicateWindowMs?: number;
  /** Uploads of one account at the same time; one unless told. */
  readonly uploadsPerAccount?: number;
  /** Time by which TikTok's sockets must answer (ms). */
  readonly stallMs?: number;
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

const openFiles: OpenMedia = async (media) => {
  if (media.type !== 'file') throw new Error('only files are opened');
  return await openFileSource(media.path);
};

/** The whole machine in this process, on a real Redis and the simulator over real HTTP, with rapid schedules. */
export async function startPipeline(options: PipelineOptions = {}) {
  const simulator = await startSimulator(options.simulator ?? {});
  const target = { kind: 'url', url: options.redisUrl ?? testRedisUrl() } as const;
  const prefix = freshPrefix();
  const keys = createKeys(prefix);
  const redis = await connectRedis(target, 'ledger');
  const workerConnection = await connectRedis(target, 'worker');
  const confirmation = openConfirmation(target, { keys, replicas: options.waitReplicas });
  const queues = createQueues({ connection: redis, prefix, retentionMs: 86_400_000 });
  const encryptionKeys = [randomBytes(32)];
  const sealer = createSealer(encryptionKeys);
  const vault = createAccountVault({ redis, keys, sealer, confirmation });
  const stallMs = options.stallMs ?? 2_000;
  const tiktok = createTikTokClient({ apiBaseUrl: simulator.url, timeouts: { answerMs: 2_000, stallMs } });
  const metrics = createMetrics();
  const log = options.log ?? pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });
  const webhooks = createWebhookArrivals({ redis, keys });
  const tokens = createVaultTokenSource({
    vault,
    tiktok,
    redis,
    keys,
    clientKey: simulator.clientKey,
    clientSecret: simulator.clientSecret,
  });
  const requestSecrets = createRequestSecrets(encryptionKeys);
  const laneLimit = options.uploadsPerAccount ?? DEFAULT_LANE_LIMIT;
  const deps: WorkerDeps = {
    ledger: rememberJobs(createLedger({ redis, keys, clock: Date, confirmation, laneLimit }), { log }),
    queues,
    tiktok,
    tokens,
    slots: createSlots({ redis, keys }),
    caps: createCaps({ redis, keys, clock: Date }),
    creators: createCreatorCache({ redis, keys }),
    ...(options.onDuplicate !== undefined && {
      videoClaims: createVideoClaims({
        ...{ redis, keys, clock: Date },
        ...{ windowMs: options.duplicateWindowMs ?? 86_400_000, maxWaitMs: 86_400_000 },
      }),
    }),
    webhooks,
    pauseAccount: (account) => vault.pause(account),
    restoreSealingKey: () => restoreSealingKey(redis, keys, requestSecrets.publicKeys),
    lanes: createLanes({ redis, keys, clock: Date, limit: laneLimit }),
    accountNames: createAccountNames({ redis, keys, clock: Date }),
    sealer,
    requestSecrets,
    openMedia: options.openMedia ?? openFiles,
    probeMedia,
    clock: Date,
    random: Math.random,
    metrics,
    log,
    settings: {
      chunkSizeBytes: options.chunkSizeBytes ?? 5_242_880,
      retentionMs: 86_400_000,
      maxWaitMs: options.maxWaitMs ?? 86_400_000,
      pullStallMs: options.pullStallMs ?? 1_200_000,
      preflight: options.preflight ?? 'off',
      ...(options.onDuplicate !== undefined && { onDuplicate: options.onDuplicate }),
      pollSchedule: options.polls ?? RAPID_POLLS,
      retryPolicy: options.retries ?? RAPID_RETRIES,
    },
  };
  const publisher = createPublisherFromConfig({
    redis: target,
    redisWaitReplicas: options.waitReplicas,
    dataDir: '',
    cacheDir: '',
    queuePrefix: prefix,
    uploadsPerAccount: laneLimit,
    outboundAllowHosts: ['127.0.0.1'],
    retentionMs: 86_400_000,
    encryptionKeys,
    tiktok: {
      apiBaseUrl: simulator.url,
      clientKey: simulator.clientKey,
      clientSecret: simulator.clientSecret,
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-videos-'));
  const running = new Set<RunningWorkers>();

  function startWorkersHere(): RunningWorkers {
    const workers = startWorkers({
      deps,
      connection: workerConnection,
      prefix,
      concurrency: { upload: 4, status: 20 },
    });
    running.add(workers);
    return workers;
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

  if (options.workers !== false) startWorkersHere();
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
    startWorkers: startWorkersHere,
    /** Lets an account go on, as the commands do after `resume` and `add`. */
    wakeLane: async (name: string) => await wakeLane(name, deps),

    /** Completion events so far, oldest first. */
    async events(): Promise<PublishEvent[]> {
      const entries = await redis.xrange(keys.events, '-', '+');
      return entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('event') + 1] ?? '') as PublishEvent);
    },

    async close(): Promise<void> {
      await Promise.all([...running].map((workers) => workers.close({ timeoutMs: 0 })));
      await publisher.close();
      await tokens.close();
      await queues.close();
      await tiktok.close();
      await confirmation.close();
      await closeRedis(workerConnection);
      await closeRedis(redis);
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
