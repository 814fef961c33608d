import type { Job } from 'bullmq';
import { countPausedEndpoints } from '../callbacks/endpoint-health.ts';
import { createMetrics, type MeasureStep, type Metrics } from '../observability/metrics.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { createCallSampler } from '../redis/sampled-calls.ts';
import { createTikTokClient, type TikTokClient } from '../tiktok/index.ts';
import { createWebhookReception, type WebhookReception } from '../tiktok-webhooks/webhook-reception.ts';
import { type AccountParts, openAccountParts } from './account-parts.ts';
import type { App } from './open-app.ts';
import { openRedisParts, type RedisParts } from './redis-parts.ts';

/** What the workers and the web server of a long-running process share; all of it is closed with the app. */
export interface Service extends RedisParts, AccountParts {
  readonly app: App;
  readonly metrics: Metrics;
  readonly measureStep: MeasureStep;
  readonly tiktok: TikTokClient;
  readonly webhooks: WebhookReception;
}

export interface ServiceOptions {
  readonly metrics?: Metrics;
  readonly tiktok?: TikTokClient;
}

/** Builds what workers and web server share. */
export async function openService(app: App, options: ServiceOptions = {}): Promise<Service> {
  const { keys } = app;
  const metrics = options.metrics ?? createMetrics();
  const tiktok = options.tiktok ?? openTikTok(app, metrics);
  const parts = openParts(app, await app.connect('ledger'), { tiktok, metrics });
  const { redis } = parts;
  const webhooks = createWebhookReception({ redis, keys });
  const sampleCalls = createCallSampler();
  const measureStep: MeasureStep = (step, run) => sampleCalls(run, (use) => metrics.redisUsed(step, use));
  return { ...parts, app, metrics, measureStep, tiktok, webhooks };
}

/** What is kept in Redis, and the accounts, on a connection of the app's. */
export function openParts(
  app: App,
  redis: RedisClient,
  { tiktok, metrics }: { readonly tiktok: TikTokClient; readonly metrics?: Metrics },
): RedisParts & AccountParts {
  const { config, clock, sealer, log, traces } = app;
  const { clientKey, clientSecret } = config.tiktok;
  const parts = openRedisParts(app, redis, { clock, telemetry: traces?.telemetry });
  const accounts = openAccountParts(app, parts, {
    ...{ sealer, clock, log, clientKey, clientSecret, tiktok, onRefresh: metrics?.tokenRefreshed },
    linkSettings: () => config.http,
  });
  return { ...parts, ...accounts };
}

/** The way to TikTok, which is measured where there are metrics. */
export function openTikTok({ config, traces, onClose }: App, metrics?: Metrics): TikTokClient {
  const tiktok = createTikTokClient({
    apiBaseUrl: config.tiktok.apiBaseUrl,
    proxy: config.proxy,
    uploadMaxBytesPerSecond: config.upload.maxBytesPerSecond,
    tracing: traces?.tracing,
    ...(metrics !== undefined && { onRequest: metrics.apiRequest }),
  });
  onClose(() => tiktok.close());
  return tiktok;
}

/** A service of ours, which measures its process and the queues too, unlike workers in another app's process. */
export async function openMeasuredService(app: App): Promise<Service> {
  const service = await openService(app, { metrics: createMetrics({ defaultMetrics: true }) });
  const { metrics, queues, redis } = service;
  for (const queue of [queues.publish, queues.status, queues.events]) {
    metrics.watchQueue(queue.name, () => queue.getJobCounts());
  }
  metrics.watchPausedEndpoints(() =>
    countPausedEndpoints(redis, app.keys, { now: app.clock.now(), retentionMs: app.config.retentionMs }),
  );
  metrics.watchOperations(() => redis.zcard(app.keys.openOperations));
  metrics.watchPause(() => redis.exists(app.keys.publishingPause));
  metrics.watchOldestWaiting(async () => waitedMs(await queues.nextPublishEntries(), app.clock.now()));
  return service;
}

/** How long the longest of them has been ready; 0 where there is none. */
function waitedMs(entries: readonly Job[], now: number): number {
  const since = entries.map(({ timestamp, opts, processedOn = 0 }) =>
    Math.max(timestamp + (opts.delay ?? 0), processedOn),
  );
  return Math.max(0, ...since.map((readyAt) => now - readyAt));
}
