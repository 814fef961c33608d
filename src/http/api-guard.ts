import type { FastifyReply, FastifyRequest } from 'fastify';
import { isFromThisMachine, isSameText } from './operator-guard.ts';
import { sendProblem } from './problem.ts';

/** Who may use `/v1`. */
export interface ApiAccess {
  /** Bearer keys; without any only this machine is let in. */
  readonly apiKeys: readonly string[];
  /** The host the server listens on. */
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
  detail: 'Without API_KEYS the API is served on this machine only, under localhost and 127.0.0.1.',
};

/** A hook that lets callers of the API pass and answers all others. */
export function createApiGuard({ apiKeys, host }: ApiAccess) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (apiKeys.length === 0) {
      if (!isFromThisMachine(request, host)) await sendProblem(reply, LOCAL_ONLY);
      return;
    }
    const key = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Every key is compared, so that the time tells nothing about which one was nearly right.
    const isKnown = apiKeys.map((known) => isSameText(key, known)).includes(true);
    if (!isKnown) await sendProblem(reply.header('www-authenticate', 'Bearer'), NEEDS_KEY);
  };
}
