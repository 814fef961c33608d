import { BlockList, isIP } from 'node:net';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';
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
const OURSELVES = ['localhost', '127.0.0.1', '[::1]'];

/** An undici agent that leads through the proxies of the settings, if there are any. Reads no environment. */
export function createProxiedAgent(options: ProxiedAgentOptions): Dispatcher {
  const { proxy, connect, throughProxy, connectMs, ...rest } = options;
  if (proxy === undefined) return new Agent({ ...rest, connect });
  const { https = '', http = '', except = '' } = proxy;
  const { noProxy, isDirectAddress } = parseExceptions(except);
  return new EnvHttpProxyAgent({
    ...{ ...rest, connect, httpsProxy: https, httpProxy: http, noProxy },
    clientFactory: (origin, given) => new Pool(origin, { ...given, headersTimeout: connectMs }),
    // Every connection to a host is opened here, directly or by a tunnel.
    factory: (origin: string | URL, given: Pool.Options) => {
      const opener = given.connect;
      const isDirect = isDirectAddress(new URL(origin).hostname);
      const isTunnel = !isDirect && opener !== connect && typeof opener === 'function';
      return new Pool(origin, { ...given, connect: isTunnel ? throughProxy(opener) : connect });
    },
  });
}

/** Splits `NO_PROXY` into what undici understands and networks, which it does not. */
function parseExceptions(except: string) {
  const networks = new BlockList();
  const hosts: string[] = [...OURSELVES];
  for (const entry of except.split(/[,\s]+/).filter((text) => text !== '')) {
    const [, network = '', bits = ''] = /^\[?([^\]/]+)\]?\/(\d+)$/.exec(entry) ?? [];
    const family = familyOf(network);
    if (family !== undefined && Number(bits) <= MAX_BITS[family]) networks.addSubnet(network, Number(bits), family);
    // undici takes an IPv6 address in brackets, as in URLs.
    else hosts.push(isIP(entry) === 6 ? `[${entry}]` : entry);
  }
  return {
    noProxy: hosts.includes('*') ? '*' : hosts.join(','),
    /** Names are not resolved for it: behind a proxy they may mean nothing. */
    isDirectAddress(hostname: string): boolean {
      const address = hostname.replace(/^\[(.*)\]$/, '$1');
      const family = familyOf(address);
      return family !== undefined && networks.check(address, family);
    },
  };
}

const MAX_BITS = { ipv4: 32, ipv6: 128 } as const;

function familyOf(address: string): keyof typeof MAX_BITS | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6';
}

/** Names what a proxy refuses or breaks, without addresses, as `OUTBOUND_UNREACHABLE`. */
export function namingProxyFailures(tunnel: buildConnector.connector): buildConnector.connector {
  return (target, callback) => tunnel(target, (...outcome) => callback(...asUnreachable(target, outcome)));
}

type Outcome = Parameters<buildConnector.Callback>;

function asUnreachable({ hostname, host = hostname }: buildConnector.Options, outcome: Outcome): Outcome {
  const [error] = outcome;
  if (error === null) return outcome;
  const [, status] = /^Proxy response \((\d+)\)/.exec(error.message) ?? [];
  const cause = status === undefined ? codeOf(error) : `HTTP ${status} from the proxy`;
  const reason = `${host} could not be reached through the proxy (${cause ?? error.name})`;
  return [new PublishError('OUTBOUND_UNREACHABLE', { reason }), null];
}
