import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { isLoopbackHostHeader } from './operator-guard.ts';
import { HttpProblem, type Problem } from './problem.ts';
import { foreignPage, isFromOwnPage, isNavigation } from './request-origin.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Anybody may ask, from whatever page and as often as they like: it shows nothing, or asks for a proof that no page has. */
    isPublic?: boolean;
    /** Who asks is told by a guard of its own. */
    isGuarded?: boolean;
  }
}

/** Of every answer that says nothing else: it is no page, nobody may frame it, and no other site may load it. */
const SHIELD = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const FOREIGN: Problem = {
  status: 403,
  code: 'ORIGIN_REFUSED',
  detail: 'The request comes from a page of another site. Open the page of this server itself.',
};
const OTHER_NAME: Problem = {
  status: 403,
  code: 'HOST_REFUSED',
  detail:
    'Without API_KEYS this server is available only on this machine, at localhost and 127.0.0.1, and not through a proxy.',
};

export interface PageWallOptions {
  readonly host: string;
  /** Whether the API asks for keys: such a server is meant for others than this machine. */
  readonly hasKeys: boolean;
}

/**
 * Keeps pages of other sites, which a browser on this machine may show, away from every route: their requests, their
 * frames, and their own names when these are resolved to this machine (DNS rebinding). A route need not ask for it.
 */
export function keepPagesOut(server: FastifyInstance, { host, hasKeys }: PageWallOptions): void {
  const isForThisMachine = isLoopbackHost(host) && !hasKeys;
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(SHIELD);
    const { isPublic = false, isGuarded = false, access } = request.routeOptions.config ?? {};
    // A page can send the key of an API to its own site only, unless that allows it; we never do.
    if (isPublic || (access !== undefined && hasBearer(request))) return;
    if (!isFromOwnPage(request) && !isNavigation(request)) throw new HttpProblem(foreignProblem(request));
    if (isForThisMachine && !isGuarded && access === undefined && !isLoopbackHostHeader(request.headers.host)) {
      throw new HttpProblem(OTHER_NAME);
    }
  });
}

const BEARER = 'bearer ';

function hasBearer({ headers }: FastifyRequest): boolean {
  return headers.authorization?.slice(0, BEARER.length).toLowerCase() === BEARER;
}

/** Behind a proxy that changes the Host header, our own page looks like one of another site. */
function foreignProblem(request: FastifyRequest): Problem {
  const foreign = foreignPage(request);
  if (foreign === undefined || foreign.page === 'null') return FOREIGN;
  const { page, host } = foreign;
  const detail = `The page is at ${page}, but the Host header of its request is ${host}. If the page is of this server behind a proxy, configure the proxy to pass the Host header on (nginx: proxy_set_header Host $http_host).`;
  return { ...FOREIGN, detail };
}
