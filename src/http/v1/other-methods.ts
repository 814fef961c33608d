import type { FastifyInstance } from 'fastify';
import { sendProblem } from '../problem.ts';

/**
 * Answers the methods that an address does not have with 405 and those that it has, and OPTIONS with them alone: no other
 * site may use the API in a browser (CORS is off).
 * @returns to be called once all routes are there
 */
export function answerOtherMethods(scope: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  scope.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const allow = [...methods, 'OPTIONS'].join(', ');
      const others = METHODS.filter((method) => !methods.has(method));
      scope.route({
        ...{ url, method: others, schema: { hide: true } },
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          if (request.method === 'OPTIONS') return await reply.code(204).send();
          const detail = `${request.method} is not allowed here. Allowed: ${allow}.`;
          return await sendProblem(reply, { status: 405, code: 'METHOD_NOT_ALLOWED', detail });
        },
        handler: async () => undefined,
      });
    }
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
