import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { PublishError } from '../core/publish-error.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type BoardOptions, registerBoard } from './board.ts';
import { type ReadinessCheck, registerHealth } from './health.ts';
import { registerHomePage } from './home-page.ts';
import { answerWithProblems } from './problem.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly board: Omit<BoardOptions, 'host'>;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly log: Logger;
}

/** A listening web server. */
export interface WebServer {
  /** Address of its root, without a slash at the end; names loopback when it listens on every interface. */
  readonly url: string;
  /** Stops accepting, waits for the requests under way, then resolves. */
  close(): Promise<void>;
}

/**
 * Starts the web server: board, metrics, health and a page of links. Every group of routes is one `register…` call.
 *
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { host, port, board, metrics, readinessChecks, log } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const logController = new LogController({ disableRequestLogging: true });
  const server: FastifyInstance = fastify({ loggerInstance, logController });
  answerWithProblems(server, log);
  registerHomePage(server);
  registerHealth(server, readinessChecks);
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  await registerBoard(server, { ...board, host });
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw explainListenError(error, host, port);
  }
  const address = server.server.address();
  const listeningPort = typeof address === 'object' && address !== null ? address.port : port;
  return { url: urlOf(host, listeningPort), close: () => server.close() };
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
