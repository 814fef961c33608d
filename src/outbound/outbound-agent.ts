import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { promisify } from 'node:util';
import { buildConnector, type Dispatcher } from 'undici';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import type { AllowList } from './allow-list.ts';
import { addressOf, portOf, refusedHost, refusedHttp } from './check-url.ts';
import { createProxiedAgent, namingProxyFailures } from './proxied-agent.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { isPlainAddress, isPublicAddress } from './public-address.ts';

export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface OutboundAgentOptions {
  readonly allowed: AllowList;
  /** Proxies to go through; by default none. */
  readonly proxy?: ProxySettings | undefined;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** Longest time for name, connection and TLS together (ms). Default 10 s. */
  readonly connectMs?: number;
  /** Longest time without a byte (ms). Default 30 s. */
  readonly stallMs?: number;
}

const CONNECT_MS = 10 * SECOND_MS;
const STALL_MS = 30 * SECOND_MS;
/** Some servers send tens of kilobytes of cookies and policies; browsers take 256 KiB, Node 16. */
const MAX_HEADER_BYTES = 131_072;

const lookupAll = promisify(systemLookup);
const resolveBySystem: Lookup = (hostname) => lookupAll(hostname, { all: true });

type ConnectOptions = buildConnector.Options;

/**
 * An undici agent that reaches public addresses, and what the allow-list opens, and nothing else. Each new connection
 * resolves its host once and goes to an address that was checked; TLS still proves the name. Follows no redirect.
 *
 * A proxy is asked for a host only if the host may be reached as far as its name tells here. It may resolve the name to
 * another address than we do, where TLS proves the name all the same.
 *
 * Requests fail with PublishError `OUTBOUND_HOST_REFUSED` or `OUTBOUND_URL_REFUSED` before anything is sent.
 */
export function createOutboundAgent(options: OutboundAgentOptions): Dispatcher {
  const { allowed, proxy, lookup = resolveBySystem, connectMs = CONNECT_MS, stallMs = STALL_MS } = options;
  return createProxiedAgent({
    ...{ proxy, connectMs },
    headersTimeout: stallMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    bodyTimeout: stallMs,
    connect(target, callback) {
      const begunAt = performance.now();
      checkedAddresses(target, { allowed, lookup })
        .then((addresses) => {
          const leftMs = Math.max(1, connectMs - (performance.now() - begunAt));
          connectTo(addresses, leftMs)(target, callback);
        })
        .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null));
    },
    throughProxy: (tunnel) => (target, callback) => {
      checkedAddresses(target, { allowed, lookup })
        .catch((error: unknown) => refuseUnlessElsewhere(target, allowed, error))
        .then(
          () => namingProxyFailures(tunnel)(target, callback),
          (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
        );
    },
  });
}

/** Names that mean nothing outside of a network (RFC 6761, 6762, 8375, ICANN for `internal`, and Kubernetes for `svc`). */
const LOCAL_NAME = /^[^.]*\.?$|\.(local|localhost|internal|home\.arpa|lan|intranet|corp|svc)\.?$/i;

/** Behind a proxy, many networks do not resolve the names of the internet: those the proxy resolves. */
function refuseUnlessElsewhere(
  { hostname, host = hostname, protocol, port }: ConnectOptions,
  allowed: AllowList,
  error: unknown,
): void {
  if (error instanceof PublishError) throw error;
  if (allowed.allowsHost(hostname, portOf({ protocol, port }))) return;
  if (protocol === 'http:') throw refusedHttp(host);
}

/** Every address of a host that may be reached. @throws PublishError when there is none */
async function checkedAddresses(
  { hostname, host = hostname, protocol, port }: ConnectOptions,
  { allowed, lookup }: { readonly allowed: AllowList; readonly lookup: Lookup },
): Promise<readonly LookupAddress[]> {
  const name = addressOf(hostname);
  const isOpen = allowed.allowsHost(name, portOf({ protocol, port }));
  const found = isPlainAddress(name)
    ? [{ address: name, family: name.includes(':') ? 6 : 4 }]
    : await lookup(name).catch((error: unknown) => {
        // Which of the names of our network exist is nobody's business: those that do are refused in the same words.
        throw protocol !== 'http:' && !isOpen && LOCAL_NAME.test(name) ? refusedHost(host) : error;
      });
  const isOpenAddress = ({ address }: LookupAddress) => isOpen || allowed.allowsAddress(address);
  if (protocol === 'http:') {
    const opened = found.filter(isOpenAddress);
    if (opened.length > 0) return opened;
    throw refusedHttp(host);
  }
  const reachable = found.filter((entry) => isOpenAddress(entry) || isPublicAddress(entry.address));
  if (reachable.length > 0) return reachable;
  throw refusedHost(host);
}

/** undici's connector, whose name resolution is done: Node is handed the checked addresses and asks nobody else. */
function connectTo(addresses: readonly LookupAddress[], timeoutMs: number): buildConnector.connector {
  return buildConnector({
    timeout: timeoutMs,
    lookup: (_hostname, { all }, callback) => {
      const [first] = addresses;
      if (all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    },
  });
}
