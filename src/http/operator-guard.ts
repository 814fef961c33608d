import { createHash, timingSafeEqual } from 'node:crypto';
import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { addSessions, type Sessions } from './access/sessions.ts';
import { type BoardLogin, operatorOf, type SignIns } from './access/sign-in.ts';
import { HttpProblem, type Problem } from './problem.ts';

/** How one gets in. */
export interface OperatorRules {
  /** Without one, this machine is let in. */
  readonly login?: BoardLogin | undefined;
  readonly host: string;
  readonly signIns: SignIns;
  /** Without, nobody can sign in on a page. */
  readonly sessions?: Sessions | undefined;
}

/** Lets operators pass, whom `request.caller` then names; for others it rejects with the problem that is the answer. */
export type OperatorGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Tells operators from strangers: by their session, by the board's login, or where there is none by asking from this
 * machine. Behind a proxy everybody seems to do that, so a request that came through one that says so is a stranger's.
 *
 * @param scope a Fastify scope of its own, on which login and sessions are installed
 * @param refusal what strangers are told where there is no login: a stable code, and why
 */
export async function createOperatorGuard(
  scope: FastifyInstance,
  { login, host, signIns, sessions }: OperatorRules,
  refusal: Pick<Problem, 'code' | 'detail'>,
): Promise<OperatorGuard> {
  scope.decorateRequest('caller', undefined);
  if (sessions !== undefined) await addSessions(scope, sessions);
  const checkLogin = login === undefined ? undefined : await loginCheck(scope, signIns);
  return async (request, reply) => {
    const { proof } = request.session ?? {};
    request.caller = proof === undefined ? undefined : await signIns.callerOf(proof);
    if (request.caller !== undefined) return;
    if (checkLogin !== undefined) await checkLogin(request, reply);
    else if (isFromThisMachine(request, host)) request.caller = operatorOf(login);
    else throw new HttpProblem({ status: 403, ...refusal });
  };
}

/** HTTP basic authentication: for scripts. */
async function loginCheck(scope: FastifyInstance, signIns: SignIns): Promise<OperatorGuard> {
  await scope.register(basicAuth, {
    authenticate: { realm: 'tiktok-publisher board' },
    strictCredentials: true,
    validate: async (user, password, request) => {
      const proof = signIns.proofOfLogin({ user, password });
      if (proof === undefined) throw new Error('wrong user or password');
      request.caller = await signIns.callerOf(proof);
    },
  });
  return (request, reply) =>
    new Promise((resolve, reject) => {
      scope.guesses.refuse(request);
      scope.basicAuth(request, reply, (error?: Error) => {
        if (error === undefined) return resolve();
        // A browser asks without a login first.
        if (request.headers.authorization !== undefined) scope.guesses.count(request);
        reject(error);
      });
    });
}

/**
 * Whether a request comes from this machine, as far as can be told: under one of its names, from no page of elsewhere, and
 * through no proxy, for which everybody seems to be this machine.
 * @param host the host the server listens on
 */
export function isFromThisMachine(request: FastifyRequest, host: string): boolean {
  const { headers } = request;
  if (!isLoopbackHost(host) || !isLoopbackHostHeader(headers.host) || isForwarded(request)) return false;
  return (
    headers.origin === undefined || (URL.canParse(headers.origin) && isLoopbackHost(new URL(headers.origin).hostname))
  );
}

/** Compares in a time that tells nothing about where two texts differ. */
export function isSameText(one: string, other: string): boolean {
  // Digests have one length, so that the comparison takes the same time whatever was sent.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/**
 * What proxies add, each in its own way. nginx adds nothing unless told, but before 1.29.7 speaks HTTP/1.0, which no client does
 * any more. Of a proxy that adds nothing and speaks HTTP/1.1 nothing can be told (blog.nginx.org, "Keep-alive to upstreams is
 * now default in NGINX 1.29.7", read 2026-11-30).
 */
function isForwarded({ headers, raw }: FastifyRequest): boolean {
  return raw.httpVersion === '1.0' || Object.keys(headers).some(isOfProxies);
}

const PROXY_HEADERS = [
  'via',
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'fly-client-ip',
];
const PROXY_PREFIXES = ['x-forwarded', 'x-original-', 'cf-'];

function isOfProxies(name: string): boolean {
  return PROXY_HEADERS.includes(name) || PROXY_PREFIXES.some((prefix) => name.startsWith(prefix));
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
