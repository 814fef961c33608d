import { isLoopbackHost } from '../core/loopback-host.ts';

/**
 * Whether a request's Host header names this machine. A page of another site that had its own name resolved to
 * 127.0.0.1 (DNS rebinding) reaches us with that name in the header, and must not be served without a password.
 */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined || /[/\\@?#]/.test(header)) return false;
  const url = `http://${header}`;
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}
