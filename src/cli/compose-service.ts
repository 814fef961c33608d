import { createVaultTokenSource } from '../accounts/token-source.ts';
import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../core/poll-schedule.ts';
import type { OpenMedia } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { EIGHT_TRIES_IN_AN_HOUR } from '../core/retry-policy.ts';
import { createCreatorCache } from '../creators/creator-cache.ts';
import { openCreators } from '../creators/open-creators.ts';
import type { ReadinessCheck } from '../http/health.ts';
import { startServer, type WebServer } from '../http/start-server.ts';
import { createAccountNames } from '../lanes/account-names.ts';
import { createLanes } from '../lanes/lanes.ts';
import { createLedger } from '../ledger/ledger.ts';
import { openFileSource } from '../media/file-source.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { createQueues, type Queues } from '../queues/queues.ts';
import { createCaps } from '../quota/caps.ts';
import { createSlots } from '../quota/slots.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { publishSealingKey } from '../sealing/published-key.ts';
import { createTikTokClient } from '../tiktok/index.ts';
import { type RunningWorkers, startWorkers, type WorkerDeps, type WorkerKind } from '../workers/index.ts';
import { type ConsentParts, connectOptions, webhookReceiver } from './compose-connect.ts';
import type { Foundation } from './foundation.ts';
import { wakeAccount } from './wake-account.ts';

/** What the parts of a long-running process share. All of it ends with the foundation, the latest part first. */
export interface Service {
  readonly foundation: Foundation;
  readonly metrics: Metrics;
  readonly queues: Queues;
  readonly vault: AccountVault;
  readonly redis: RedisClient;
}

/** Builds what workers and web server share. */
export async function openService(foundation: Foundation): Promise<Service> {
  const { config, keys, sealer, requestSecrets } = foundation;
  const redis = await foundation.connect('ledger');
  await publishSealingKey(redis, keys, requestSecrets.publicKey);
  const queues = createQueues({ connection: redis, prefix: config.queuePrefix, retentionMs: config.retentionMs });
  foundation.onClose(() => queues.close());
  const metrics = createMetrics({ defaultMetrics: true });
  for (const queue of [queues.publish, queues.status, queues.events]) {
    metrics.watchQueue(queue.name, () => queue.getJobCounts());
  }
  return { foundation, metrics, queues, redis, vault: createAccountVault({ redis, keys, sealer }) };
}

export interface WorkersOptions {
  /** Which workers to run; all unless told. */
  readonly only?: readonly WorkerKind[] | undefined;
  readonly pollSchedule?: PollSchedule;
}

/** Starts workers; closing the foundation drains them first. */
export async function openWorkers(service: Service, options: WorkersOptions = {}): Promise<RunningWorkers> {
  const { foundation, metrics } = service;
  const { config, keys, log, sealer, requestSecrets } = foundation;
  // Not the service's connection, whose calls fail at once while Redis is away: a worker sits a failover out.
  const redis = await foundation.connect('ledger');
  const queues = createQueues({ connection: redis, prefix: config.queuePrefix, retentionMs: config.retentionMs });
  foundation.onClose(() => queues.close());
  const vault = createAccountVault({ redis, keys, sealer });
  const tiktok = createTikTokClient({ apiBaseUrl: config.tiktok.apiBaseUrl, onRequest: metrics.apiRequest });
  foundation.onClose(() => tiktok.close());
  const { clientKey, clientSecret } = config.tiktok;
  const tokens = createVaultTokenSource({
    ...{ vault, redis, keys, tiktok, clientKey, clientSecret, log },
    onRefresh: metrics.tokenRefreshed,
  });
  foundation.onClose(() => tokens.close());
  const deps: WorkerDeps = {
    ...{ queues, tiktok, tokens, sealer, requestSecrets, metrics, log },
    ledger: createLedger({ redis, keys, clock: Date, laneLimit: config.uploadsPerAccount }),
    slots: createSlots({ redis, keys }),
    caps: createCaps({ redis, keys, clock: Date }),
    creators: createCreatorCache({ redis, keys }),
    pauseAccount: (account) => vault.pause(account),
    lanes: createLanes({ redis, keys, clock: Date, limit: config.uploadsPerAccount }),
    accountNames: createAccountNames({ redis, keys, clock: Date }),
    openMedia: openMediaUnder(config.mediaRoots),
    clock: Date,
    random: Math.random,
    settings: {
      chunkSizeBytes: config.upload.chunkSizeBytes,
      retentionMs: config.retentionMs,
      maxWaitMs: config.maxWaitMs,
      preflight: config.preflight,
      pollSchedule: options.pollSchedule ?? DEFAULT_POLL_SCHEDULE,
      retryPolicy: EIGHT_TRIES_IN_AN_HOUR,
    },
  };
  const workers = startWorkers({
    deps,
    connection: await foundation.connect('worker'),
    prefix: config.queuePrefix,
    concurrency: { upload: config.upload.concurrency, status: config.status.concurrency },
    ...(options.only !== undefined && { only: options.only }),
  });
  foundation.onClose(() => workers.close({ timeoutMs: config.shutdownTimeoutMs }));
  return workers;
}

function openMediaUnder(roots: readonly string[] | undefined): OpenMedia {
  return async (media) => {
    if (media.type === 'file') return await openFileSource(media.path, { roots });
    throw new PublishError('INPUT_MEDIA_TYPE_UNSUPPORTED', {
      reason: `media.type "${media.type}" has no bytes of ours`,
    });
  };
}

/** Starts the web server over the queues; `workers` are those of this process, if any. */
export async function openServer(service: Service, workers?: RunningWorkers): Promise<WebServer> {
  const { foundation, metrics, queues, redis, vault } = service;
  const { host, port, board, apiKeys } = foundation.config.http;
  const consent: ConsentParts = {
    ...{ foundation, redis, vault, onRequest: metrics.apiRequest },
    onUsable: ({ account, openId }) => wakeAccount([account, openId], { redis, keys: foundation.keys, queues }),
  };
  const { config, keys, sealer, log } = foundation;
  const creators = openCreators({ redis, keys, sealer, tiktok: config.tiktok, log, onRequest: metrics.apiRequest });
  foundation.onClose(() => creators.close());
  const server = await startServer({
    ...{ host, port, metrics, log: foundation.log },
    api: { apiKeys, askCreator: creators.ask },
    connect: connectOptions(consent),
    receiveWebhook: webhookReceiver(consent),
    board: { queues: [queues.publish, queues.status, queues.events], login: board },
    readinessChecks: [redisCheck(redis), ...(workers === undefined ? [] : [workersCheck(workers)])],
  });
  foundation.onClose(() => server.close());
  return server;
}

function redisCheck(redis: RedisClient): ReadinessCheck {
  return {
    name: 'redis',
    async check() {
      if (redis.status !== 'ready') throw new Error('Redis is not connected');
      await redis.ping();
    },
  };
}

function workersCheck(workers: Pick<RunningWorkers, 'isRunning'>): ReadinessCheck {
  return {
    name: 'workers',
    async check() {
      if (!workers.isRunning()) throw new Error('the workers do not run');
    },
  };
}
