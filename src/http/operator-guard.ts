import { createHash, timingSafeEqual } from 'node:crypto';
import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { sendProblem } from './problem.ts';

export interface BoardLogin {
  readonly user: string;
  readonly password: string;
}

export interface OperatorGuardOptions {
  /** Without one only this machine is let in. */
  readonly login?: BoardLogin | undefined;
  /** A second login for those who may look and not touch; what they may not do is the routes' business: see {@link isViewer}. */
  readonly viewer?: BoardLogin | undefined;
  readonly host: string;
  /** What strangers are told: a stable code, and why. */
  readonly refusal: { readonly code: string; readonly detail: string };
}

const viewers = new WeakSet<FastifyRequest>();

/** Whether a request that a guard has let pass came with the login of those who may look and not touch. */
export function isViewer(request: FastifyRequest): boolean {
  return viewers.has(request);
}

/** Lets operators pass; for others it has sent the answer, or rejects with the error that is the answer. */
export type OperatorGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Tells operators from strangers: by the board's login, or where there is none by asking from this machine. Behind a
 * proxy everybody seems to do that, so a request that came through one that says so is a stranger's.
 *
 * @param scope a Fastify scope of its own, on which the login is installed
 */
export async function createOperatorGuard(
  scope: FastifyInstance,
  { login, viewer, host, refusal }: OperatorGuardOptions,
): Promise<OperatorGuard> {
  if (login === undefined) {
    return async (request, reply) => {
      if (!isFromThisMachine(request, host)) await sendProblem(reply, { status: 403, ...refusal });
    };
  }
  await scope.register(basicAuth, {
    authenticate: { realm: 'tiktok-publisher board' },
    strictCredentials: true,
    validate: async (user, password, request) => {
      const isOperator = isLogin(login, user, password);
      const isViewing = viewer !== undefined && isLogin(viewer, user, password);
      if (!isOperator && !isViewing) throw new Error('wrong user or password');
      if (!isOperator) viewers.add(request);
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

function isLogin(login: BoardLogin, user: string, password: string): boolean {
  // Both are compared, so that the time tells nothing about which one is wrong.
  return [isSameText(user, login.user), isSameText(password, login.password)].every(Boolean);
}

/** Compares in a time that tells nothing about where two texts differ. */
export function isSameText(one: string, other: string): boolean {
  // Digests have one length, so that the comparison takes the same time whatever was sent.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** What proxies add, each in its own way. nginx adds nothing unless told, but speaks HTTP/1.0, which no client does any more. */
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
 * @internal
 */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined || /[/\\@?#]/.test(header)) return false;
  const url = `http://${header}`;
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}
