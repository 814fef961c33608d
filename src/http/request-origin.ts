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
  return foreignPage({ headers }) === undefined;
}

/**
 * Whether a browser goes to the address, for its user to see, as from a link on any page: not in a frame, and not for the
 * page that asked. Such a request may show, and must not change anything.
 */
export function isNavigation({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  return (method === 'GET' || method === 'HEAD') && mode === 'navigate' && destination === 'document';
}

/**
 * Of a page that names its origin alone, and is on another host than that the request says it is for: both. A proxy may
 * have changed the Host header, and may say in `X-Forwarded-Host` what it was; a page can send that header to its own
 * host only.
 */
export function foreignPage({ headers }: Pick<FastifyRequest, 'headers'>): { page: string; host: string } | undefined {
  const { origin, host = '' } = headers;
  if (origin === undefined || headers['sec-fetch-site'] !== undefined) return undefined;
  const forwarded = String(headers['x-forwarded-host'] ?? '').split(',', 1);
  const page = URL.canParse(origin) ? new URL(origin).host : origin;
  const isOwn = [host, ...forwarded].some((name) => name !== '' && name.trim().toLowerCase() === page);
  return isOwn ? undefined : { page, host };
}
