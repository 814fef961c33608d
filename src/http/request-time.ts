import { SECOND_MS } from '../core/units.ts';

/** Bodies are small here: who sends one drop by drop only wants to hold the connection. */
const REQUEST_MS = 30 * SECOND_MS;
const CHECKS_IN_THAT_TIME = 3;

/**
 * Settings of Fastify by which a request that takes too long to arrive is answered with 408. Without them a body may take
 * for ever: Fastify turns Node's limit off.
 *
 * @param requestMs longest time from the first byte of a request to its last (ms)
 */
export function limitRequestTime(requestMs: number = REQUEST_MS) {
  return {
    requestTimeout: requestMs,
    http: {
      requestTimeout: requestMs,
      // Node applies the larger of the two to the whole request.
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.ceil(requestMs / CHECKS_IN_THAT_TIME),
    },
  };
}
