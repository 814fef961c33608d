import type { FastifyRequest } from 'fastify';

/**
 * Whether a page of another site had the browser send this. What is open to this machine alone must not be used through
 * the browser of whoever works on it. Programs that are no browsers send neither header.
 */
export function cameFromElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return true;
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}
