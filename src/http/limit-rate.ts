import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { MINUTE_MS } from '../core/units.ts';
import { networkOf } from './client-network.ts';
import { HttpProblem } from './problem.ts';

/**
 * Counts requests by who asks, before anything of them is read: of the API once it is known who that is, of every other
 * route but the public ones at once.
 */
export async function limitRate(server: FastifyInstance, requestsPerMinute: number): Promise<void> {
  await server.register(rateLimit, {
    global: false,
    max: requestsPerMinute,
    timeWindow: MINUTE_MS,
    enableDraftSpec: true,
    keyGenerator: (request) => request.caller?.by ?? `address ${networkOf(request)}`,
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem({
        status: 429,
        code: 'API_RATE_LIMITED',
        detail: `More than ${requestsPerMinute} requests in a minute (API_RATE_LIMIT_PER_MINUTE). Try again after the number of seconds in Retry-After.`,
        retryAfterMs: ttl,
      }),
  });
  const count = server.rateLimit();
  server.addHook('onRequest', async function (request, reply) {
    const { isPublic = false, access } = request.routeOptions.config ?? {};
    if (!isPublic && access === undefined) await count.call(this, request, reply);
  });
}
