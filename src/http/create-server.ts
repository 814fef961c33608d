import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../observability/metrics.ts';
import { boundConnections } from './bound-connections.ts';
import { boundQueuedAnswers } from './bound-queued-answers.ts';
import { createGuessLimit } from './guess-limit.ts';
import { type ReadinessCheck, registerHealth, registerMetrics } from './health.ts';
import { limitRate } from './limit-rate.ts';
import { dropUnusedConnections, limitRequestTime } from './listen.ts';
import { keepPagesOut } from './page-wall.ts';
import { answerUnreadableAddress, answerUnreadableRequest, answerWithProblems } from './problem.ts';
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

/** What a server with more routes also sets. */
export interface CreateServerOptions extends MetricsServerOptions {
  /** Path below which a proxy serves us, such as `/tiktok`; links start with it. Default: none. */
  readonly basePath?: string | undefined;
  /** Addresses and networks of proxies, whose word is taken on who the client is. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The API's keys, and how often one caller may ask. */
  readonly api?: Partial<Pick<ApiOptions, 'apiKeys' | 'requestsPerMinute'>> | undefined;
}

/** Longest part of a path that is a parameter: an account's name is up to 128 characters, each up to 12 encoded. */
const MAX_PARAM_LENGTH = 2_000;

/** Leaves files, Redis and uploads their share of the 1,024 descriptors that many systems give a process. */
const MAX_CONNECTIONS = 800;

const REQUESTS_PER_MINUTE = 600;

/** A server with `/metrics`, `/healthz` and `/readyz` that answers errors with problem documents. */
export async function createServer(options: CreateServerOptions) {
  const { host, metrics, readinessChecks, log, requestMs, stalledMs, maxConnections = MAX_CONNECTIONS } = options;
  const { api = {}, basePath = '', trustedProxies = [] } = options;
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
  keepPagesOut(server, { host, hasKeys: (api.apiKeys ?? []).length > 0 });
  await limitRate(server, api.requestsPerMinute ?? REQUESTS_PER_MINUTE);
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
