import type { FastifyRequest } from 'fastify';
import { MINUTE_MS } from '../core/units.ts';
import { networkOf } from './client-network.ts';
import { HttpProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Of the whole server: whoever guesses at one door is not let try another one. */
    guesses: ReturnType<typeof createGuessLimit>;
  }
}

const MAX_WRONG = 10;
const WITHIN_MS = MINUTE_MS;
/** Beyond it the oldest are forgotten, so that many addresses cost no memory. */
const MAX_NETWORKS = 10_000;

/** Makes guessing a password slow: after ten wrong ones in a minute, none of that network is looked at until it is over. */
export function createGuessLimit() {
  /** The oldest first. */
  const wrong = new Map<string, { count: number; readonly until: number }>();

  return {
    /** @throws HttpProblem `LOGIN_RATE_LIMITED` */
    refuse(request: FastifyRequest): void {
      const guesses = wrong.get(networkOf(request));
      const now = performance.now();
      if (guesses === undefined || guesses.until <= now || guesses.count < MAX_WRONG) return;
      throw new HttpProblem({
        ...{ status: 429, code: 'LOGIN_RATE_LIMITED', retryAfterMs: guesses.until - now },
        detail: `More than ${MAX_WRONG} wrong logins in a minute from this address. Try again after the number of seconds in Retry-After. Behind a proxy, TRUSTED_PROXIES lets the server tell clients apart.`,
      });
    },

    count(request: FastifyRequest): void {
      const network = networkOf(request);
      const now = performance.now();
      const guesses = wrong.get(network);
      if (guesses !== undefined && guesses.until > now) {
        guesses.count += 1;
        return;
      }
      wrong.delete(network);
      wrong.set(network, { count: 1, until: now + WITHIN_MS });
      const [oldest] = wrong.keys();
      if (wrong.size > MAX_NETWORKS && oldest !== undefined) wrong.delete(oldest);
    },
  };
}
