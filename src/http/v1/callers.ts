import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deliveries } from '../../callbacks/deliveries.ts';
import { type Caller, CLOSED, type RouteAccess, refusalOf } from '../../core/access.ts';
import { isMadeKey } from '../access/api-keys.ts';
import { deliveriesAs } from '../access/deliveries-as.ts';
import { type CallersPublisher, publisherAs } from '../access/publisher-as.ts';
import { isFromThisMachine, isSameText } from '../operator-guard.ts';
import { HttpProblem } from '../problem.ts';
import { isFromOwnPage } from '../request-origin.ts';
import type { ApiOptions } from './typed-routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined: a stranger, who gets no further than the guard. */
    caller?: Caller | undefined;
    /** The publisher as the caller may use it. */
    publisher: CallersPublisher;
    deliveries: Deliveries;
  }
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
}

/** What requests act on. */
type ActRules = Pick<ApiOptions, 'audit' | 'publisher' | 'callbacks'>;

export type CallerRules = ActRules &
  Pick<ApiOptions, 'apiKeys' | 'keys'> & {
    readonly host: string;
  };

const STRANGER = {
  status: 401,
  code: 'API_KEY_WRONG',
  detail: 'Send an API key as "Authorization: Bearer <key>": one of API_KEYS, or one that `keys create` made.',
};
const LOCAL_ONLY = {
  status: 403,
  code: 'API_NEEDS_KEYS',
  detail:
    'Without API_KEYS the API is available only on this machine, at localhost and 127.0.0.1, not through a proxy and not to pages of other sites. Set API_KEYS for all others.',
};

/** How timelines and the audit trail name a caller whom the guard let pass. */
export function nameOf(caller: Caller | undefined): string {
  if (caller === undefined) throw new Error('expected a caller: routes are behind the guard');
  return caller.by;
}

/** Finds out who asks, before anything else: limits are counted for them. */
export function addCallers(scope: FastifyInstance, rules: CallerRules): void {
  scope.decorateRequest('caller', undefined);
  scope.decorateRequest('publisher');
  scope.decorateRequest('deliveries');
  const rateOf = scope.createRateLimit();
  const mayGuess: MayGuess = async (request) => {
    const rate = await rateOf(request, { increment: false });
    return rate.isAllowed || rate.remaining > 0;
  };
  scope.addHook('onRequest', async (request) => {
    const caller = await callerOf(request, rules, mayGuess);
    if (caller !== undefined) actAs(request, caller, rules);
  });
}

/** Has a request do what its caller may do, in the caller's name. */
export function actAs(request: FastifyRequest, caller: Caller, rules: ActRules): void {
  request.caller = caller;
  request.publisher = publisherAs(rules.publisher, caller, rules.audit.add);
  request.deliveries = deliveriesAs(rules.callbacks, caller, rules.audit.add);
}

/** Refuses strangers, and callers whose key does not allow what they ask. Each route tells in its description what it asks. */
export function refuseCallers(scope: FastifyInstance, { apiKeys, host }: CallerRules): void {
  scope.addHook('onRoute', (route) => {
    const { scope: needed } = route.config?.access ?? CLOSED;
    const { description = '' } = route.schema ?? {};
    route.schema = { ...route.schema, description: `${description} Scope: \`${needed}\`.`.trim() };
  });
  scope.addHook('onRequest', async (request, reply) => {
    const { caller, routeOptions } = request;
    if (caller === undefined) {
      if (apiKeys.length === 0 && !isFromHere(request, host)) throw new HttpProblem(LOCAL_ONLY);
      reply.header('www-authenticate', 'Bearer');
      throw new HttpProblem(STRANGER);
    }
    const refusal = refusalOf(caller, routeOptions.config.access ?? CLOSED);
    if (refusal !== undefined) throw forbidden(refusal);
  });
}

/** @param detail what is missing */
export function forbidden(detail: string): HttpProblem {
  return new HttpProblem({ status: 403, code: 'API_KEY_FORBIDDEN', detail });
}

/** Whether the address of a request has requests left in this minute, which strangers are counted by. */
type MayGuess = (request: FastifyRequest) => Promise<boolean>;

/** The key that a request came with; empty: none. */
export function bearerOf({ headers }: Pick<FastifyRequest, 'headers'>): string {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** Who a request is from; undefined: nobody that is known. */
async function callerOf(
  request: FastifyRequest,
  { apiKeys, keys, host }: CallerRules,
  mayGuess: MayGuess,
): Promise<Caller | undefined> {
  const text = bearerOf(request);
  // Guesses end before Redis is asked; keys that are known here are not held up by guesses from the same address.
  if (isMadeKey(text)) return keys.wasGood(text) || (await mayGuess(request)) ? await keys.find(text) : undefined;
  if (apiKeys.length === 0) return isFromHere(request, host) ? { by: 'this machine', scopes: ['admin'] } : undefined;
  // Every key is compared, so that the time tells nothing about which one was nearly right.
  const number = apiKeys.map((known) => isSameText(text, known)).indexOf(true) + 1;
  return number > 0 ? { by: `API_KEYS ${number}`, scopes: ['admin'] } : undefined;
}

function isFromHere(request: FastifyRequest, host: string): boolean {
  return isFromThisMachine(request, host) && isFromOwnPage(request);
}
