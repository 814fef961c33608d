import { isIPv4 } from 'node:net';

/** Whether a host name or address can only be this machine: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/**
 * Whether a request's Host header names this machine. A page of another site that had its own name resolved to
 * 127.0.0.1 (DNS rebinding) reaches us with that name in the header, and must not be served without a password.
 */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined || /[/\\@?#]/.test(header)) return false;
  const url = `http://${header}`;
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}
