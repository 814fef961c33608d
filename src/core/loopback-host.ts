import { z } from 'zod';

const ipv4 = z.ipv4();

/** Whether a host name or address can only be this machine: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return name === 'localhost' || name === '::1' || (name.startsWith('127.') && ipv4.safeParse(name).success);
}
