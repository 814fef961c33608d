import { PublishError } from '../core/publish-error.ts';
import type { AllowList } from './allow-list.ts';
import { isPlainAddress, isPublicAddress } from './public-address.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Refuses a URL that must not be asked, as far as the URL itself shows; what its host resolves to is checked by the
 * agent. Messages repeat the host only: paths, queries and credentials may be secret.
 *
 * @throws PublishError `OUTBOUND_URL_REFUSED` for a scheme other than https, for http to a host that is not allow-listed
 * and for credentials in the URL; `OUTBOUND_HOST_REFUSED` for an address that is not public
 */
export function checkOutboundUrl(url: URL, allowed: AllowList): void {
  const isOpen = allowed.allowsHost(url.hostname, portOf(url));
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refusedUrl(`expected an https:// URL, got ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refusedUrl(`expected no user and password in the URL of ${url.host}`);
  }
  if (url.protocol === 'http:' && !isOpen) throw refusedHttp(url.host);
  const address = addressOf(url.hostname);
  if (!isOpen && isPlainAddress(address) && !isPublicAddress(address)) throw refusedHost(url.host);
}

/** The port that a protocol and the port of a URL, empty for the usual one, lead to. */
export function portOf({ protocol, port }: Pick<URL, 'protocol' | 'port'>): number {
  return port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port);
}

/** A host name without the brackets that URLs put around IPv6 addresses. */
export function addressOf(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** The refusal of a host none of whose addresses may be reached. */
export function refusedHost(host: string): PublishError {
  return new PublishError('OUTBOUND_HOST_REFUSED', { reason: `${host} is not a public internet address` });
}

/** The refusal of http where only https may be spoken. */
export function refusedHttp(host: string): PublishError {
  return refusedUrl(
    `expected https://, because http:// is allowed only for hosts in OUTBOUND_ALLOW_HOSTS, got http://${host}`,
  );
}

function refusedUrl(reason: string): PublishError {
  return new PublishError('OUTBOUND_URL_REFUSED', { reason });
}
