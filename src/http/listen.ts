import type { FastifyInstance } from 'fastify';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';

/** A listening web server. */
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
