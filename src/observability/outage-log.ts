import type { Logger } from 'pino';
import { loggedTrouble } from '../core/redis-trouble.ts';

/**
 * Logs what is wrong with Redis: everybody who is hit by an outage is hit again at every try. One for each that is hit on
 * its own.
 */
export function createOutageLog(log: Logger) {
  const logged = new Set<string>();
  return {
    /** Logs trouble with Redis unless it was logged since the last `isOver`; any other error always, with its stack. */
    warn(error: unknown, facts: object, message: string): void {
      const trouble = loggedTrouble(error);
      if ('reason' in trouble) {
        const words = `${message}: ${trouble.reason}`;
        if (logged.has(words)) return;
        logged.add(words);
      }
      log.warn({ ...facts, ...trouble }, message);
    },
    isOver: (): void => logged.clear(),
  };
}
