import type { FastifyRequest } from 'fastify';

const IPV6_GROUPS = 8;
/** A provider gives each of its customers 64 bits of addresses or more. */
const NETWORK_GROUPS = 4;

/** Who a request without a key is counted for: its IPv4 address, or the network of its IPv6 address. */
export function networkOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  // An IPv4 address, also as a socket for both kinds shows it: ::ffff:192.0.2.1.
  if (ip.includes('.') || !ip.includes(':')) return ip.slice(ip.lastIndexOf(':') + 1);
  const [start = [], end = []] = ip.split('::').map((part) => part.split(':'));
  const zeros = Array<string>(Math.max(0, IPV6_GROUPS - start.length - end.length)).fill('0');
  return [...start, ...zeros, ...end].slice(0, NETWORK_GROUPS).join(':');
}
