import { CONSENT_TIMEOUT_MS, createConnectFlow } from '../accounts/connect-flow.ts';
import { otherTikTok } from '../config/tiktok-address.ts';
import { orLate } from '../core/deadline.ts';
import { SECOND_MS } from '../core/units.ts';
import { publisherAs } from '../http/access/publisher-as.ts';
import { createSessions } from '../http/access/sessions.ts';
import { operatorOf } from '../http/access/sign-in.ts';
import type { ConnectOptions } from '../http/connect.ts';
import { createSeenFailures } from '../http/console/seen-failures.ts';
import type { PulledMediaOptions } from '../http/pulled-media.ts';
import { startServer, type WebServer } from '../http/start-server.ts';
import type { ApiOptions } from '../http/v1/typed-routes.ts';
import { readAccountUse } from '../limits/account-use.ts';
import { refuseOutsideRoots } from '../media/media-roots.ts';
import { createPullGateway } from '../media/pull-gateway.ts';
import { readVerificationFiles } from '../media/verification-files.ts';
import type { Publisher } from '../producers/publisher.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import { consentUrl } from '../tiktok/oauth-calls.ts';
import { createWebhookReceiver, type ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';
import { boardOptions } from './board-parts.ts';
import { deliveriesOf, subscriptionsOf } from './callback-parts.ts';
import type { App } from './open-app.ts';
import { openParts, type Service } from './open-service.ts';
import { publisherOn } from './publisher-on.ts';
import { redisCheck, workersCheck } from './readiness-checks.ts';
import type { RedisParts } from './redis-parts.ts';
import { readVersion } from './version.ts';
import { mediaOf } from './worker-parts.ts';

/** How long the last page of connecting waits for the name of its creator. */
const CREATOR_TIMEOUT_MS = 5 * SECOND_MS;

/** Starts the web server over the queues; `workers` are those of this process, if any. */
export async function openServer(service: Service, workers?: RunningWorkers): Promise<WebServer> {
  const { app, metrics, redis } = service;
  const { config, log } = app;
  const { host, port, basePath, maxConnections, trustedProxies } = config.http;
  // API and board must report at once that Redis is down.
  const asking = openParts(app, await app.connect('producer'), service);
  const publisher = measuredPublisher(publisherOn(app, asking), service);
  const api = apiOptions(config, {
    ...asking,
    publisher,
    callbacks: deliveriesOf(app, asking),
    subscriptions: subscriptionsOf(app, asking),
  });
  const { board: login, boardViewer: viewer } = config.http;
  const operated = publisherAs(publisher, operatorOf(login), api.audit.add);
  const server = await startServer({
    ...{ host, port, basePath, maxConnections, trustedProxies, metrics, log, api },
    connect: connectOptions(service),
    receiveWebhook: webhookReceiver(service),
    pulledMedia: await pulledMediaOf(app, asking),
    board: {
      ...boardOptions({ ...asking, clock: app.clock }, operated),
      pages: {
        ...api,
        metadataKeys: config.metadataIndex,
        warning: otherTikTok(config.tiktok.apiBaseUrl),
        accountUse: (account) =>
          withRedisErrors(() => readAccountUse(account, { ...asking, keys: app.keys, clock: app.clock })),
        seenFailures: createSeenFailures({ redis: asking.redis, keys: app.keys }),
        accountJobs: (account) => withRedisErrors(() => asking.reader.accountJobs(account)),
      },
    },
    operators: { login, viewer, sessions: createSessions({ ...asking, keys: app.keys }, app.sessionSecrets) },
    readinessChecks: [redisCheck(redis), ...(workers === undefined ? [] : [workersCheck(workers)])],
  });
  app.onClose(async () => {
    // Requests under way may wait for Redis; the time that the workers have to drain runs meanwhile.
    await Promise.all([server.close(), workers?.close({ timeoutMs: config.shutdownTimeoutMs })]);
  });
  return server;
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

function apiOptions(
  { http, mediaRoots }: Pick<App['config'], 'http' | 'mediaRoots'>,
  {
    publisher,
    callbacks,
    subscriptions,
    facts,
    apiKeys,
    audit,
    statistics,
  }: Pick<RedisParts, 'facts' | 'apiKeys' | 'audit' | 'statistics'> &
    Pick<ApiOptions, 'publisher' | 'callbacks' | 'subscriptions'>,
): ApiOptions {
  return {
    apiKeys: http.apiKeys,
    requestsPerMinute: http.requestsPerMinute,
    maxEventStreams: http.maxEventStreams,
    maxEventStreamsPerKey: http.maxEventStreamsPerKey,
    publisher,
    callbacks: {
      overview: () => withRedisErrors(callbacks.overview),
      stopped: () => withRedisErrors(callbacks.stopped),
      ofJob: (jobId) => withRedisErrors(() => callbacks.ofJob(jobId)),
      replay: (id) => withRedisErrors(() => callbacks.replay(id)),
      replayFailed: (host, signal) => withRedisErrors(() => callbacks.replayFailed(host, signal)),
      resume: (endpoint) => withRedisErrors(() => callbacks.resume(endpoint)),
      ofSubscription: (id) => withRedisErrors(() => callbacks.ofSubscription(id)),
      testSubscription: (id) => withRedisErrors(() => callbacks.testSubscription(id)),
    },
    subscriptions: {
      create: (request, by) => withRedisErrors(() => subscriptions.create(request, by)),
      list: () => withRedisErrors(subscriptions.list),
      remove: (id, by) => withRedisErrors(() => subscriptions.remove(id, by)),
    },
    statistics: { read: (range) => withRedisErrors(() => statistics.read(range)) },
    facts: () => withRedisErrors(facts.list),
    keys: {
      create: (request, by) => withRedisErrors(() => apiKeys.create(request, by)),
      list: () => withRedisErrors(apiKeys.list),
      revoke: (id, by) => withRedisErrors(() => apiKeys.revoke(id, by)),
      wasGood: apiKeys.wasGood,
      find: (text) => withRedisErrors(() => apiKeys.find(text)),
      findByDigest: (digest) => withRedisErrors(() => apiKeys.findByDigest(digest)),
    },
    audit: {
      add: (fact) => withRedisErrors(() => audit.add(fact)),
      list: (filter, page) => withRedisErrors(() => audit.list(filter, page)),
    },
    refuseFile: (path) => refuseOutsideRoots(path, mediaRoots),
    version: readVersion(),
  };
}

/** Connecting accounts in a browser, for the web server. */
function connectOptions({ app, redis, vault, accounts, connectLinks, askCreator, tiktok }: Service): ConnectOptions {
  const { config, keys, sealer } = app;
  const { apiBaseUrl, clientKey, clientSecret } = config.tiktok;
  const flow = createConnectFlow({
    ...{ redis, keys, sealer, vault, accounts, links: connectLinks, clientKey, clientSecret },
    tiktok: {
      consentUrl: (question) => consentUrl(apiBaseUrl, question),
      exchangeCode: (request) => tiktok.exchangeCode(request),
    },
  });
  const { publicBaseUrl, returnOrigins, connectPage } = config.http;
  return {
    ...{ publicBaseUrl, returnOrigins, look: connectPage, stateLifetimeMs: CONSENT_TIMEOUT_MS },
    begin: (request) => withRedisErrors(() => flow.begin(request)),
    finish: (answer) => withRedisErrors(() => flow.finish(answer)),
    findLink: (token) => withRedisErrors(() => connectLinks.find(token)),
    // It is only shown: whoever waits for the page is not kept waiting for it.
    askCreator: (account) =>
      orLate(askCreator(account), { withinMs: CREATOR_TIMEOUT_MS, late: () => undefined }).catch(() => undefined),
  };
}

/**
 * What the web server gives to TikTok; undefined where nobody knows how TikTok reaches it.
 * @throws PublishError `CONFIG_INVALID` for a verification file that cannot be read
 */
async function pulledMediaOf(
  app: App,
  { ledger }: Pick<RedisParts, 'ledger'>,
): Promise<PulledMediaOptions | undefined> {
  const { config, requestSecrets, sealer, clock, log } = app;
  const { baseUrl, verificationFiles } = config.pull;
  if (baseUrl === undefined) return undefined;
  return {
    find: createPullGateway({
      ...{ openMedia: mediaOf(app).openMedia, requestSecrets, sealer, clock, log },
      readJob: (id) => withRedisErrors(() => ledger.read(id)),
    }),
    drainMs: config.shutdownTimeoutMs,
    verificationFiles: await readVerificationFiles(verificationFiles),
  };
}
