import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { PublishError } from '../core/publish-error.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type BoardOptions, registerBoard } from './board.ts';
import { type ConnectOptions, registerConnect } from './connect.ts';
import { type ReadinessCheck, registerHealth } from './health.ts';
import { registerHomePage } from './home-page.ts';
import { answerUnreadableAddress, answerUnreadableRequest, answerWithProblems } from './problem.ts';
import { type ApiOptions, registerApi } from './v1/api.ts';
import { type ReceiveWebhook, registerWebhook } from './webhook.ts';

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
  readonly log: Logger;
}

/** A listening web server. */
export interface WebServer {
  /** Address of its root, without a slash at the end; names loopback when it listens on every interface. */
  readonly url: string;
  /** Stops accepting, waits for the requests under way, then resolves. */
  close(): Promise<void>;
}

/** Longest part of a path that is a parameter: an account's name is up to 128 characters, each up to 12 encoded. */
const MAX_PARAM_LENGTH = 2_000;

/**
 * Starts the web server: API, board, metrics, health, connecting accounts, TikTok's webhooks and a page of links. Every group of routes is one `register…` call.
 *
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { host, port, board, metrics, readinessChecks, api, connect, receiveWebhook, log } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const logController = new LogController({ disableRequestLogging: true });
  const routerOptions = { maxParamLength: MAX_PARAM_LENGTH };
  const server: FastifyInstance = fastify({
    ...{ loggerInstance, logController, routerOptions },
    frameworkErrors: answerUnreadableAddress,
    clientErrorHandler: answerUnreadableRequest,
  });
  answerWithProblems(server, log);
  registerHomePage(server);
  registerHealth(server, readinessChecks);
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  await registerBoard(server, { ...board, host });
  await registerWebhook(server, receiveWebhook);
  if (api !== undefined) await registerApi(server, api, host);
  const ownUrl = () => urlOf(host, listeningPort(server, port));
  if (connect !== undefined) {
    const baseUrl = () => connect.publicBaseUrl ?? (isLoopbackHost(host) ? ownUrl() : undefined);
    await registerConnect(server, connect, { login: board.login, host, baseUrl });
  }
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw explainListenError(error, host, port);
  }
  return { url: ownUrl(), close: () => server.close() };
}

function listeningPort({ server }: FastifyInstance, port: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'PORT: this user may not listen on it; ports below 1024 need special rights',
  EADDRNOTAVAIL: 'HOST: is not an address of this machine',
  ENOTFOUND: 'HOST: cannot be resolved',
};

function explainListenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'EADDRINUSE') {
    return new PublishError(
      'CONFIG_PORT_TAKEN',
      { reason: `port ${port} of ${host} is in use by another program` },
      { cause: error },
    );
  }
  const reason = LISTEN_ERRORS[code];
  if (reason === undefined) return error;
  return new PublishError('CONFIG_INVALID', { reason: `${reason} (got ${host}:${port})` }, { cause: error });
}
