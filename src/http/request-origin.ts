import type { FastifyRequest } from 'fastify';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a page of ours had the browser send this request, or no page at all. A browser sends a login, and reaches what is
 * open to its machine alone, for whatever page asks (CSRF). It also says where that page is from: in `Sec-Fetch-Site`
 * where it trusts the connection, else in `Origin`. No page can forge either; programs that are no browsers send neither.
 */
export function isFromOwnPage({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  // `none` is an address that somebody typed or kept: that asks for a page, and changes nothing.
  if (site !== undefined) return site === 'same-origin' || (site === 'none' && READING.has(method));
  const { origin, host } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase());
}
