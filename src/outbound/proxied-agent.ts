import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import type { ProxySettings } from './proxy-settings.ts';

interface ProxiedAgentOptions extends Omit<Agent.Options, 'connect' | 'factory'> {
  readonly proxy: ProxySettings | undefined;
  /** Connects where there is no proxy between. */
  readonly connect: buildConnector.connector;
  /** Wraps what asks a proxy for a tunnel to a host. */
  readonly throughProxy: (tunnel: buildConnector.connector) => buildConnector.connector;
  /** Longest time for an answer of the proxy (ms). */
  readonly connectMs: number;
}

/** This machine is never behind a proxy. */
const OURSELVES = 'localhost,127.0.0.1,[::1]';

/** An undici agent that leads through the proxies of the settings, if there are any. Reads no environment. */
export function createProxiedAgent(options: ProxiedAgentOptions): Dispatcher {
  const { proxy, connect, throughProxy, connectMs, ...rest } = options;
  if (proxy === undefined) return new Agent({ ...rest, connect });
  const { https = '', http = '', except } = proxy;
  return new EnvHttpProxyAgent({
    ...{ ...rest, connect, httpsProxy: https, httpProxy: http },
    noProxy: except === undefined ? OURSELVES : except.trim() === '*' ? '*' : `${except},${OURSELVES}`,
    clientFactory: (origin, given) => new Pool(origin, { ...given, headersTimeout: connectMs }),
    // Every connection to a host is opened here, directly or by a tunnel.
    factory: (origin: string | URL, given: Pool.Options) => {
      const opener = given.connect;
      const isTunnel = opener !== connect && typeof opener === 'function';
      return new Pool(origin, { ...given, connect: isTunnel ? throughProxy(opener) : connect });
    },
  });
}
