import ipaddr from 'ipaddr.js';
import { isPlainAddress, parseAddress } from './public-address.ts';

/** What a deployment opens although it is private: the entries of `OUTBOUND_ALLOW_HOSTS`. */
export type AllowList = ReturnType<typeof parseAllowList>;

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Reads the entries of `OUTBOUND_ALLOW_HOSTS`: `host`, `host:port` or CIDR, in lower case. A bare address is a host, so
 * it opens URLs that name it, not names that resolve to it; for those write it as CIDR, such as `10.0.0.5/32`.
 */
export function parseAllowList(entries: readonly string[]) {
  const networks: Network[] = [];
  const hosts = new Set<string>();
  for (const entry of entries) {
    if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry));
    else hosts.add(normalHost(entry));
  }
  return {
    /** Whether a host as the URL names it is opened, whatever it resolves to. */
    allowsHost(hostname: string, port: number): boolean {
      const host = normalHost(hostname);
      const withPort = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
      return hosts.has(host) || hosts.has(withPort) || (isPlainAddress(host) && isWithin(host, networks));
    },
    /** Whether an address is opened by its network. */
    allowsAddress: (address: string): boolean => isPlainAddress(address) && isWithin(address, networks),
  };
}

function isWithin(address: string, networks: readonly Network[]): boolean {
  // ::ffff:10.0.0.1 reaches the very host that 10.0.0.1 is.
  const given = parseAddress(address);
  const parsed = given instanceof ipaddr.IPv6 && given.isIPv4MappedAddress() ? given.toIPv4Address() : given;
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

/** Lower case, without the brackets of a bare IPv6 address and without the dot that ends a full name. */
function normalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[([^\]]*)\]$/, '$1')
    .replace(/\.$/, '');
}
