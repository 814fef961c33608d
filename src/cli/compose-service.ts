import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import { openCreators } from '../creators/open-creators.ts';
import type { Foundation } from '../foundation/foundation.ts';
import type { ReadinessCheck } from '../http/health.ts';
import { startMetricsServer } from '../http/start-metrics-server.ts';
import { startServer, type WebServer } from '../http/start-server.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { createPublisherFromConfig } from '../producers/create-publisher.ts';
import { createQueues, type Queues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { RunningWorkers } from '../workers/index.ts';
import { apiOptions } from './compose-api.ts';
import { boardOptions } from './compose-board.ts';
import { type ConsentParts, connectOptions } from './compose-connect.ts';
import { webhookReceiver } from './compose-webhooks.ts';
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
  const { config, keys, sealer, confirmation } = foundation;
  const redis = await foundation.connect('ledger');
  const queues = createQueues({ connection: redis, prefix: config.queuePrefix, retentionMs: config.retentionMs });
  foundation.onClose(() => queues.close());
  const metrics = createMetrics({ defaultMetrics: true });
  for (const queue of [queues.publish, queues.status, queues.events]) {
    metrics.watchQueue(queue.name, () => queue.getJobCounts());
  }
  metrics.watchPausedEndpoints(() => redis.zcard(keys.pausedEndpoints));
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clientKey: config.tiktok.clientKey });
  return { foundation, metrics, queues, redis, vault };
}

/** Starts the web server over the queues; `workers` are those of this process, if any. */
export async function openServer(service: Service, workers?: RunningWorkers): Promise<WebServer> {
  const { foundation, metrics, queues, redis, vault } = service;
  const { config, keys, sealer, log, confirmation } = foundation;
  const { http, queuePrefix: prefix, retentionMs } = config;
  const { host, port } = http;
  const consent: ConsentParts = {
    ...{ foundation, redis, vault, onRequest: metrics.apiRequest },
    onUsable: ({ account, openId }) =>
      wakeAccount([account, openId], { redis, keys, queues, laneLimit: config.uploadsPerAccount }),
  };
  // Whoever waits for an answer of API or board is told at once that Redis is away.
  const asking = await foundation.connect('producer');
  const shown = createQueues({ connection: asking, prefix, retentionMs });
  foundation.onClose(() => shown.close());
  const creators = openCreators({
    ...{ redis: asking, keys, sealer, confirmation, tiktok: config.tiktok, log },
    onRequest: metrics.apiRequest,
  });
  foundation.onClose(() => creators.close());
  const publisher = createPublisherFromConfig({ ...config, telemetry: foundation.traces?.telemetry });
  foundation.onClose(() => publisher.close());
  const server = await startServer({
    ...{ host, port, metrics, log: foundation.log },
    api: apiOptions({ foundation, redis: asking }, { publisher, creators, wake: consent.onUsable }),
    connect: connectOptions(consent),
    receiveWebhook: webhookReceiver(service),
    board: boardOptions({ foundation, queues: shown, redis: asking }, publisher),
    readinessChecks: [redisCheck(redis), ...(workers === undefined ? [] : [workersCheck(workers)])],
  });
  foundation.onClose(async () => {
    // Requests under way may wait for Redis; the time that the workers have to drain runs meanwhile.
    await Promise.all([server.close(), workers?.close({ timeoutMs: config.shutdownTimeoutMs })]);
  });
  return server;
}

/** Serves the metrics and the health of a process that has workers only, where `METRICS_PORT` says so. */
export async function openMetricsServer(service: Service, workers: RunningWorkers): Promise<WebServer | undefined> {
  const { foundation, metrics, redis } = service;
  const { config, log } = foundation;
  if (config.metricsServer === undefined) return undefined;
  const readinessChecks = [redisCheck(redis), workersCheck(workers)];
  const server = await startMetricsServer({ ...config.metricsServer, metrics, log, readinessChecks });
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

function workersCheck(workers: Pick<RunningWorkers, 'readiness'>): ReadinessCheck {
  return {
    name: 'workers',
    async check() {
      const { ready, reasons } = await workers.readiness();
      if (!ready) throw new Error(reasons.join('; '));
    },
  };
}
