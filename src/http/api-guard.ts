import type { FastifyReply, FastifyRequest } from 'fastify';
import { isFromThisMachine, isSameText } from './operator-guard.ts';
import { sendProblem } from './problem.ts';
import { isFromOwnPage } from './request-origin.ts';

export interface ApiAccess {
  /** Bearer keys; without any only this machine is let in. */
  readonly apiKeys: readonly string[];
  readonly host: string;
}

const NEEDS_KEY = {
  status: 401,
  code: 'API_KEY_WRONG',
  detail: 'Send one of API_KEYS as "Authorization: Bearer <key>".',
};
const LOCAL_ONLY = {
  status: 403,
  code: 'API_NEEDS_KEYS',
  detail:
    'Without API_KEYS the API is available only on this machine, at localhost and 127.0.0.1, and not to pages of other sites.',
};

/** A hook that lets callers of the API pass and answers all others. */
export function createApiGuard({ apiKeys, host }: ApiAccess) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (apiKeys.length === 0) {
      const isLocal = isFromThisMachine(request, host) && isFromOwnPage(request);
      if (!isLocal) await sendProblem(reply, LOCAL_ONLY);
      return;
    }
    if (keyNumber(request, apiKeys) === undefined) {
      await sendProblem(reply.header('www-authenticate', 'Bearer'), NEEDS_KEY);
    }
  };
}

/** Who a request is counted for: its API key, or else its address. */
export function callerOf(request: FastifyRequest, apiKeys: readonly string[]): string {
  const key = keyNumber(request, apiKeys);
  return key === undefined ? `address ${request.ip}` : `key ${key}`;
}

function keyNumber({ headers }: FastifyRequest, apiKeys: readonly string[]): number | undefined {
  const key = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  // Every key is compared, so that the time tells nothing about which one was nearly right.
  const found = apiKeys.map((known) => isSameText(key, known)).indexOf(true);
  return found === -1 ? undefined : found;
}
