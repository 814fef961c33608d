import type { AccountSummary } from '../accounts/account-record.ts';
import { CONSENT_TIMEOUT_MS, createConnectFlow } from '../accounts/connect-flow.ts';
import type { ManagedAccounts } from '../accounts/managed-accounts.ts';
import type { Deliveries } from '../callbacks/deliveries.ts';
import type { ConnectOptions } from '../http/connect.ts';
import type { ReadinessCheck } from '../http/health.ts';
import { startMetricsServer, startServer, type WebServer } from '../http/start-server.ts';
import type { ApiOptions } from '../http/v1/typed-routes.ts';
import { refuseOutsideRoots } from '../media/media-roots.ts';
import { createPublisher } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import { refuseCallbacks } from '../producers/refuse-callbacks.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import { consentUrl } from '../tiktok/oauth-calls.ts';
import { createWebhookReceiver, type ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';
import { type AccountParts, createWake, managedAccounts } from './account-parts.ts';
import { boardOptions } from './board-parts.ts';
import { deliveriesOf } from './callback-parts.ts';
import type { App } from './open-app.ts';
import { openParts, type Service } from './open-service.ts';
import { publisherParts } from './publisher-parts.ts';
import type { RedisParts } from './redis-parts.ts';
import { readVersion } from './version.ts';

/** Starts the web server over the queues; `workers` are those of this process, if any. */
export async function openServer(service: Service, workers?: RunningWorkers): Promise<WebServer> {
  const { app, metrics, redis } = service;
  const { config, log } = app;
  const { host, port, basePath } = config.http;
  // API and board must report at once that Redis is down.
  const asking = openParts(app, await app.connect('producer'), service);
  const publisher = measuredPublisher(publisherOn(app, asking), service);
  const wake = createWake(service);
  const server = await startServer({
    ...{ host, port, basePath, metrics, log },
    api: apiOptions(config, {
      ...{ publisher, askCreator: asking.askCreator, callbacks: deliveriesOf(app, asking) },
      accounts: managedAccounts(asking, { ...config.tiktok, tiktok: service.tiktok, wake }),
    }),
    connect: connectOptions(service, wake),
    receiveWebhook: webhookReceiver(service),
    board: boardOptions(config.http, asking, publisher),
    readinessChecks: [redisCheck(redis), ...(workers === undefined ? [] : [workersCheck(workers)])],
  });
  app.onClose(async () => {
    // Requests under way may wait for Redis; the time that the workers have to drain runs meanwhile.
    await Promise.all([server.close(), workers?.close({ timeoutMs: config.shutdownTimeoutMs })]);
  });
  return server;
}

/** The publisher of a process of ours, on parts that are open. */
export function publisherOn(app: App, parts: RedisParts & AccountParts): Publisher {
  const { config, keys, clock, onClose } = app;
  const connection = publisherParts(config, app, { ...parts, clock }, async () => parts);
  const publisher = createPublisher({
    eventsKey: keys.events,
    checkCallbacks: async (entries) => refuseCallbacks(entries, config.outboundAllowHosts),
    open: async () => connection,
    close: async () => undefined,
  });
  onClose(() => publisher.close());
  return publisher;
}

function measuredPublisher(publisher: Publisher, { measureStep }: Pick<Service, 'measureStep'>): Publisher {
  return { ...publisher, enqueue: (...request) => measureStep('enqueue', () => publisher.enqueue(...request)) };
}

/** TikTok's webhooks, for the web server; undefined without the secret that they are signed with. */
function webhookReceiver({ app, metrics, vault, ledger, queues, webhooks }: Service): ReceiveWebhook | undefined {
  const { clientKey, clientSecret } = app.config.tiktok;
  if (clientSecret === undefined) return undefined;
  const { clock, log } = app;
  return createWebhookReceiver({
    ...{ clientKey, clientSecret, vault, ledger, queues, reception: webhooks, clock, log },
    onReceived: metrics.webhookReceived,
  });
}

/** Serves the metrics and the health of a process that has workers only, where `METRICS_PORT` says so. */
export async function openMetricsServer(service: Service, workers: RunningWorkers): Promise<WebServer | undefined> {
  const { app, metrics, redis } = service;
  const { config, log } = app;
  if (config.metricsServer === undefined) return undefined;
  const readinessChecks = [redisCheck(redis), workersCheck(workers)];
  const server = await startMetricsServer({ ...config.metricsServer, metrics, log, readinessChecks });
  app.onClose(() => server.close());
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

interface ApiParts extends Pick<AccountParts, 'askCreator'> {
  readonly publisher: Publisher;
  readonly accounts: ManagedAccounts;
  readonly callbacks: Deliveries;
}

function apiOptions(
  { http, mediaRoots }: Pick<App['config'], 'http' | 'mediaRoots'>,
  { publisher, accounts, callbacks, askCreator }: ApiParts,
): ApiOptions {
  return {
    apiKeys: http.apiKeys,
    requestsPerMinute: http.requestsPerMinute,
    ...{ publisher, accounts },
    callbacks: {
      overview: () => withRedisErrors(callbacks.overview),
      ofJob: (jobId) => withRedisErrors(() => callbacks.ofJob(jobId)),
      replay: (id) => withRedisErrors(() => callbacks.replay(id)),
      replayFailed: (host) => withRedisErrors(() => callbacks.replayFailed(host)),
      resume: (endpoint) => withRedisErrors(() => callbacks.resume(endpoint)),
    },
    askCreator: (account) => withRedisErrors(() => askCreator(account)),
    refuseFile: (path) => refuseOutsideRoots(path, mediaRoots),
    version: readVersion(),
  };
}

/**
 * Connecting accounts in a browser, for the web server.
 * @param onConnected called with each account that may publish again
 */
function connectOptions(
  { app, redis, vault, tiktok }: Pick<Service, 'app' | 'redis' | 'vault' | 'tiktok'>,
  onConnected: (account: AccountSummary) => Promise<void>,
): ConnectOptions {
  const { config, keys, sealer, connectLinks } = app;
  const { apiBaseUrl, clientKey, clientSecret } = config.tiktok;
  const flow = createConnectFlow({
    ...{ redis, keys, sealer, vault, clientKey, clientSecret, onConnected },
    tiktok: {
      consentUrl: (question) => consentUrl(apiBaseUrl, question),
      exchangeCode: (request) => tiktok.exchangeCode(request),
    },
  });
  return {
    ...flow,
    isValidLink: (link) => connectLinks.isValid(link, Date.now()),
    publicBaseUrl: config.http.publicBaseUrl,
    stateLifetimeMs: CONSENT_TIMEOUT_MS,
  };
}
