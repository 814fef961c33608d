import type { RedisOptions } from 'ioredis';
import { type RedisCode, redisCodeOf } from '../core/redis-code.ts';
import { SECOND_MS } from '../core/units.ts';

const LONGEST_RECONNECT_DELAY_MS = 2 * SECOND_MS;
/** After this many useless connections, about 13 seconds, the caller gets the refusal. */
const MAX_FRUITLESS = 10;

/** Answers of a server that others have replaced, or that does not serve yet: a new connection finds the one that does. */
const ELSEWHERE: readonly RedisCode[] = ['READONLY', 'UNBLOCKED', 'MASTERDOWN', 'LOADING'];

/** Whether a server refused because another one serves, or it does not yet. */
export function isServedElsewhere(error: Error): boolean {
  const code = redisCodeOf(error);
  return code !== undefined && ELSEWHERE.includes(code);
}

/** 50 ms, doubling up to 2 s, for ever. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), LONGEST_RECONNECT_DELAY_MS);
}

interface ReconnectingOptions {
  /** Whether commands wait while there is no connection. */
  readonly queues: boolean;
  /** Whether Sentinels may know of another master. */
  readonly asksSentinels: boolean;
  readonly onRefusal: (code: RedisCode) => void;
}

/**
 * How one connection comes back. After a failover the old master refuses: connect again, which asks DNS or the
 * Sentinels again, and resend the command. A server that keeps refusing is asked less and less often, and after some
 * tries the caller gets its refusal.
 */
export function reconnecting(
  options: ReconnectingOptions,
): Required<Pick<RedisOptions, 'reconnectOnError' | 'retryStrategy'>> {
  let refused = false;
  let fruitless = 0;
  return {
    reconnectOnError(error) {
      const code = redisCodeOf(error);
      if (code === undefined || !isElsewhere(code, options.asksSentinels)) return false;
      if (!refused && fruitless === 0) options.onRefusal(code);
      refused = true;
      return options.queues && fruitless < MAX_FRUITLESS ? 2 : 1;
    },
    retryStrategy(attempt) {
      fruitless = refused ? fruitless + 1 : 0;
      refused = false;
      return reconnectDelayMs(attempt + fruitless);
    },
  };
}

/** A master that is cut off from its replicas may have been replaced without knowing it. */
function isElsewhere(code: RedisCode, asksSentinels: boolean): boolean {
  return ELSEWHERE.includes(code) || (asksSentinels && code === 'NOREPLICAS');
}
