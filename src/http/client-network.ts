import type { FastifyRequest } from 'fastify';

const IPV6_GROUPS = 8;
/** A provider gives each of its customers 64 bits of addresses or more. */
const NETWORK_GROUPS = 4;

/** Who a request without a key is counted for: its IPv4 address, or the network of its IPv6 address. */
export function networkOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const [, ipv4] = /^::ffff:([\d.]+)$/i.exec(ip) ?? [];
  if (ipv4 !== undefined || !ip.includes(':')) return ipv4 ?? ip;
  const [start = '', end] = ip.split('::').map((part) => part.split(':'));
  if (end === undefined) return [...start].slice(0, NETWORK_GROUPS).join(':');
  const zeros = Array<string>(Math.max(0, IPV6_GROUPS - start.length - end.length)).fill('0');
  return [...start, ...zeros, ...end].slice(0, NETWORK_GROUPS).join(':');
}
