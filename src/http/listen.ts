import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';

/** Bodies are small here: a client that sends one byte by byte only wants to hold the connection. */
const REQUEST_MS = 30 * SECOND_MS;
const CHECKS_IN_THAT_TIME = 3;
/** Longest time in which nothing moves on a connection that is at work: event streams say something more often (ms). */
const SILENCE_MS = 2 * MINUTE_MS;

export interface WebServer {
  /** Address of its root, without a slash at the end; names loopback when it listens on every interface. */
  readonly url: string;
  /** Stops accepting, waits for the requests under way, then resolves. */
  close(): Promise<void>;
}

/** Where a server listens, and the settings that say so. */
export interface Listening {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly variables: { readonly host: string; readonly port: string };
}

/**
 * Has a server listen.
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function listen(server: FastifyInstance, where: Listening): Promise<WebServer> {
  const { host, port } = where;
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw explainListenError(error, where);
  }
  return { url: urlOf(server, where), close: () => server.close() };
}

/** The address of a listening server; names loopback when it listens on every interface. */
export function urlOf(server: FastifyInstance, { host, port }: Pick<Listening, 'host' | 'port'>): string {
  const address = server.server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${boundPort}`;
}

function explainListenError(error: unknown, { host, port, variables }: Listening): unknown {
  const code = codeOf(error) ?? '';
  const reasons: Readonly<Record<string, string>> = {
    EACCES: `${variables.port}: this user has no permission to listen on it; ports below 1024 need special permission`,
    EADDRNOTAVAIL: `${variables.host}: is not an address of this machine`,
    ENOTFOUND: `${variables.host}: cannot be resolved`,
  };
  if (code === 'EADDRINUSE') {
    return new PublishError(
      'CONFIG_PORT_TAKEN',
      { reason: `port ${port} of ${host} is in use by another program` },
      { cause: error },
    );
  }
  const reason = reasons[code];
  if (reason === undefined) return error;
  return new PublishError('CONFIG_INVALID', { reason: `${reason} (got ${host}:${port})` }, { cause: error });
}

/**
 * Settings of Fastify by which a request that takes too long to arrive is answered with 408, and a client that does not take
 * its answer is hung up on. Without them either may take for ever: Fastify turns Node's limits off.
 *
 * @param requestMs longest time from the first byte of a request to its last (ms)
 */
export function limitRequestTime(requestMs: number = REQUEST_MS) {
  return {
    requestTimeout: requestMs,
    connectionTimeout: SILENCE_MS,
    http: {
      requestTimeout: requestMs,
      // Node applies the larger of the two to the whole request.
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.ceil(requestMs / CHECKS_IN_THAT_TIME),
    },
  };
}

/**
 * Has a server that closes drop the connections on which nothing is asked: those on which nothing was asked yet, as browsers
 * and HTTP clients open them in advance, and those whose answer was still under way when it began to close. Node would wait
 * for a minute for either.
 */
export function dropUnusedConnections(server: FastifyInstance): void {
  const unused = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  let isClosing = false;
  server.server.on('request', ({ socket }, response) => {
    unused.delete(socket);
    response.once('close', () => {
      if (isClosing) setImmediate(() => server.server.closeIdleConnections());
    });
  });
  server.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of unused) socket.destroy();
  });
}
