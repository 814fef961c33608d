import { randomUUID } from 'node:crypto';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { isLoopbackHost } from '../core/loopback-host.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import type { Sessions } from './access/sessions.ts';
import { type BoardLogin, createSignIns } from './access/sign-in.ts';
import { registerBoard } from './board.ts';
import { boundConnections } from './bound-connections.ts';
import { boundQueuedAnswers } from './bound-queued-answers.ts';
import { type ConnectOptions, registerConnect } from './connect.ts';
import type { BoardOptions } from './console/register-pages.ts';
import { createGuessLimit } from './guess-limit.ts';
import { type ReadinessCheck, registerHealth, registerMetrics } from './health.ts';
import { limitRate } from './limit-rate.ts';
import { dropUnusedConnections, limitRequestTime, listen, urlOf, type WebServer } from './listen.ts';
import { keepPagesOut } from './page-wall.ts';
import { answerUnreadableAddress, answerUnreadableRequest, answerWithProblems, sendProblem } from './problem.ts';
import { type PulledMediaOptions, registerPulledMedia } from './pulled-media.ts';
import { registerApi } from './v1/api.ts';
import type { ApiOptions } from './v1/typed-routes.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly log: Logger;
  /** Most connections that are open at the same time. Default: 800. */
  readonly maxConnections?: number | undefined;
  /** Longest time in which a request has to arrive (ms). Default: half a minute. */
  readonly requestMs?: number | undefined;
  /** How long a client may take nothing of its answer while all connections are in use (ms). Default: ten seconds. */
  readonly stalledMs?: number | undefined;
}

interface OperatorsOptions {
  /** Without one, this machine is let in. */
  readonly login?: BoardLogin | undefined;
  /** The login of those who may look and change nothing. */
  readonly viewer?: BoardLogin | undefined;
  /** Without, nobody can sign in on a page. */
  readonly sessions?: Sessions | undefined;
}

export interface ServerOptions extends MetricsServerOptions {
  readonly board: Omit<BoardOptions, 'basePath'>;
  /** Who may see board and console, and connect accounts without a link. */
  readonly operators?: OperatorsOptions | undefined;
  /** The API under `/v1`; without it there is none. */
  readonly api?: ApiOptions | undefined;
  /** Without it no account can be connected in a browser. */
  readonly connect?: ConnectOptions | undefined;
  /** Gives media of jobs to TikTok; without it there is no `/pull`. */
  readonly pulledMedia?: PulledMediaOptions | undefined;
  /** Path below which a proxy serves us, such as `/tiktok`; links start with it. Default: none. */
  readonly basePath?: string | undefined;
  /** Addresses and networks of proxies, whose word is taken on who the client is. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Without it webhooks are refused. */
  readonly receiveWebhook?: ReceiveWebhook | undefined;
}

/** Longest part of a path that is a parameter: an account's name is up to 128 characters, each up to 12 encoded. */
const MAX_PARAM_LENGTH = 2_000;

/** Leaves files, Redis and uploads their share of the 1,024 descriptors that many systems give a process. */
const MAX_CONNECTIONS = 800;

const REQUESTS_PER_MINUTE = 600;

const WEBHOOK_PATH = '/webhooks/tiktok';
/** TikTok's reports are a few hundred bytes. */
const MAX_WEBHOOK_BYTES = 100_000;

/**
 * Starts the web server: API, board, console, metrics, health, connecting accounts, TikTok's webhooks and
 * TikTok's downloads. Every group of routes is one `register…` call.
 *
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { host, port, board, api, connect, receiveWebhook, pulledMedia, basePath = '' } = options;
  const server = await createServer(options);
  const { login, viewer, sessions } = options.operators ?? {};
  const { apiKeys = [], keys } = board.pages ?? {};
  const secret = sessions?.secrets[0] ?? randomUUID();
  const operators = { login, host, sessions, signIns: createSignIns({ login, viewer, apiKeys, keys, secret }) };
  await registerBoard(server, { ...board, basePath }, operators);
  await registerWebhook(server, receiveWebhook);
  if (pulledMedia !== undefined) registerPulledMedia(server, pulledMedia);
  if (api !== undefined) await registerApi(server, api, { host, basePath });
  const ownUrl = () => urlOf(server, { host, port });
  if (connect !== undefined) {
    const baseUrl = () => connect.publicBaseUrl ?? (isLoopbackHost(host) ? ownUrl() : undefined);
    await registerConnect(server, connect, { operators, baseUrl });
  }
  return await listen(server, { host, port, variables: { host: 'HOST', port: 'PORT' } });
}

/**
 * Serves what watches over a worker and nothing else: `/metrics`, `/healthz` and `/readyz`.
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<WebServer> {
  const { host, port } = options;
  const variables = { host: 'METRICS_HOST', port: 'METRICS_PORT' };
  return await listen(await createServer(options), { host, port, variables });
}

/** A server with `/metrics`, `/healthz` and `/readyz` that answers errors with problem documents. */
async function createServer(
  options: MetricsServerOptions & Pick<ServerOptions, 'api' | 'basePath' | 'trustedProxies'>,
) {
  const { host, api, metrics, readinessChecks, log, requestMs, stalledMs, maxConnections = MAX_CONNECTIONS } = options;
  const { basePath = '', trustedProxies = [] } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const logController = new LogController({ disableRequestLogging: true });
  // Clients join a base URL and a path with a slash too many, and mean the same.
  const routerOptions = { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true };
  const server: FastifyInstance = fastify({
    ...{ loggerInstance, logController, routerOptions },
    ...limitRequestTime(requestMs),
    // A machine that is busy may take longer than Fastify's ten seconds, and must not be without a server for that.
    pluginTimeout: 0,
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    rewriteUrl: ({ url = '/' }) => withoutBasePath(url, basePath),
    frameworkErrors: answerUnreadableAddress,
    clientErrorHandler: answerUnreadableRequest,
  });
  // Node would drop what comes after about a thousand headers, without a word: also what a proxy adds at the end, by which it
  // is known. All of them together have a limit of 16 KiB.
  server.server.maxHeadersCount = 0;
  server.decorate('guesses', createGuessLimit());
  boundConnections(server, maxConnections, stalledMs);
  dropUnusedConnections(server);
  boundQueuedAnswers(server);
  answerWithProblems(server, log, basePath);
  keepPagesOut(server, { host, hasKeys: (api?.apiKeys ?? []).length > 0 });
  await limitRate(server, api?.requestsPerMinute ?? REQUESTS_PER_MINUTE);
  registerHealth(server, readinessChecks);
  registerMetrics(server, metrics);
  return server;
}

/** Some proxies remove the path below which they serve us, others do not. */
function withoutBasePath(url: string, basePath: string): string {
  const rest = url.startsWith(basePath) ? url.slice(basePath.length) : url;
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** Adds `POST /webhooks/tiktok`; without a receiver it says what is missing. */
async function registerWebhook(server: FastifyInstance, receive: ReceiveWebhook | undefined): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(WEBHOOK_PATH, { bodyLimit: MAX_WEBHOOK_BYTES, config: { isPublic: true } }, async (request, reply) => {
      if (receive === undefined) {
        const detail =
          'TIKTOK_CLIENT_SECRET is not set, so the signature of a TikTok webhook cannot be checked. The webhook was rejected.';
        return sendProblem(reply, { status: 503, code: 'WEBHOOK_NOT_CONFIGURED', detail });
      }
      const header = request.headers['tiktok-signature'];
      const signature = Array.isArray(header) ? header[0] : header;
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if ((await receive({ rawBody, signature })) === 'taken') return reply.code(200).send();
      const detail = 'The TikTok-Signature does not match this body and TIKTOK_CLIENT_SECRET.';
      return sendProblem(reply, { status: 401, code: 'WEBHOOK_UNSIGNED', detail });
    });
  });
}

export type { WebServer } from './listen.ts';
