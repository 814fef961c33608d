import type { FastifyRequest } from 'fastify';
import { isSameText } from '../operator-guard.ts';

/** Who a request is counted for: its API key, or else its address. */
export function callerOf(request: FastifyRequest, apiKeys: readonly string[]): string {
  const key = keyNumber(request, apiKeys);
  return key === undefined ? `address ${request.ip}` : `key ${key}`;
}

/** Which of our keys a request has, counted from 0; undefined: none. */
export function keyNumber({ headers }: FastifyRequest, apiKeys: readonly string[]): number | undefined {
  const key = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  // Every key is compared, so that the time tells nothing about which one was nearly right.
  const found = apiKeys.map((known) => isSameText(key, known)).indexOf(true);
  return found === -1 ? undefined : found;
}
