import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { isLoopbackHost } from '../core/loopback-host.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ReceiveWebhook } from '../tiktok-webhooks/receive-webhook.ts';
import { type BoardOptions, registerBoard } from './board.ts';
import { type ConnectOptions, registerConnect } from './connect.ts';
import { type ReadinessCheck, registerHealth, registerMetrics } from './health.ts';
import { registerHomePage } from './home-page.ts';
import { dropUnusedConnections, limitRequestTime, listen, urlOf, type WebServer } from './listen.ts';
import { answerUnreadableAddress, answerUnreadableRequest, answerWithProblems } from './problem.ts';
import { registerApi } from './v1/api.ts';
import type { ApiOptions } from './v1/typed-routes.ts';
import { registerWebhook } from './webhook-route.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly board: Omit<BoardOptions, 'host'>;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly readinessChecks: readonly ReadinessCheck[];
  /** The API under `/v1`; without it there is none. */
  readonly api?: ApiOptions | undefined;
  /** Without it no account can be connected in a browser. */
  readonly connect?: ConnectOptions | undefined;
  /** Without it webhooks are refused. */
  readonly receiveWebhook?: ReceiveWebhook | undefined;
  /** Longest time in which a request has to arrive (ms). Default: half a minute. */
  readonly requestMs?: number | undefined;
  readonly log: Logger;
}

/** Longest part of a path that is a parameter: an account's name is up to 128 characters, each up to 12 encoded. */
const MAX_PARAM_LENGTH = 2_000;

/**
 * Starts the web server: API, board, metrics, health, connecting accounts, TikTok's webhooks and a page of links. Every
 * group of routes is one `register…` call.
 *
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { host, port, board, metrics, readinessChecks, api, connect, receiveWebhook, requestMs, log } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const logController = new LogController({ disableRequestLogging: true });
  const routerOptions = { maxParamLength: MAX_PARAM_LENGTH };
  const server: FastifyInstance = fastify({
    ...{ loggerInstance, logController, routerOptions },
    ...limitRequestTime(requestMs),
    frameworkErrors: answerUnreadableAddress,
    clientErrorHandler: answerUnreadableRequest,
  });
  dropUnusedConnections(server);
  answerWithProblems(server, log);
  registerHomePage(server);
  registerHealth(server, readinessChecks);
  registerMetrics(server, metrics);
  await registerBoard(server, { ...board, host });
  await registerWebhook(server, receiveWebhook);
  if (api !== undefined) await registerApi(server, api, host);
  const ownUrl = () => urlOf(server, { host, port });
  if (connect !== undefined) {
    const baseUrl = () => connect.publicBaseUrl ?? (isLoopbackHost(host) ? ownUrl() : undefined);
    await registerConnect(server, connect, { login: board.login, host, baseUrl });
  }
  return await listen(server, { host, port, variables: { host: 'HOST', port: 'PORT' } });
}

export type { WebServer } from './listen.ts';
