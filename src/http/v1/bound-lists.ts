import type { FastifyInstance } from 'fastify';
import { onceOver } from '../once-over.ts';
import { createPlaces, NO_PLACE } from '../places.ts';
import { HttpProblem } from '../problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its answer goes on until the client leaves. */
    isStream?: boolean;
  }
}

/** Lists of one caller that are answered at a time: each may have megabytes, until the client has taken it. */
const MAX_AT_ONCE = 8;
/** Lists of the same caller that wait for that. */
const MAX_WAITING = 100;

/**
 * Answers few lists of one caller at a time, the others in their order: hundreds at once, of which the client takes none,
 * would have their pages in memory and hold up everybody. A list is what a GET without an id in its path answers.
 * @param scope a Fastify scope of its own, whose callers are known
 */
export function boundLists(scope: FastifyInstance): void {
  const placesOf = new Map<string, ReturnType<typeof createPlaces>>();
  scope.addHook('preHandler', async ({ caller, method, routeOptions: { url = '', config } }, { raw }) => {
    if (!['GET', 'HEAD'].includes(method) || url.includes(':') || config.isStream === true) return;
    const by = caller?.by ?? '';
    const places = placesOf.get(by) ?? createPlaces(MAX_AT_ONCE, MAX_WAITING);
    placesOf.set(by, places);
    const leave = await places.take();
    if (leave === NO_PLACE) {
      const detail = `More than ${MAX_AT_ONCE + MAX_WAITING} lists wait for their answer. Take the answers first.`;
      throw new HttpProblem({ status: 429, code: 'API_RATE_LIMITED', detail });
    }
    onceOver(raw, leave);
  });
}
