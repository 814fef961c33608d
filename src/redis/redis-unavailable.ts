import { PublishError } from '../core/publish-error.ts';
import { redisRefusalOf } from '../core/redis-trouble.ts';

/** Why no usable Redis could be reached; stable, for programs that react to it. */
export type RedisUnavailableCause =
  | 'refused'
  | 'unknown_host'
  | 'wrong_password'
  | 'password_required'
  | 'not_redis'
  | 'timeout'
  | 'tls'
  | 'connection_lost'
  | 'loading'
  | 'read_only'
  | 'cluster_down'
  | 'no_replicas'
  | 'no_master'
  | 'full'
  | 'disk'
  | 'too_many_clients'
  | 'permission'
  | 'too_old'
  | 'no_program'
  | 'data_dir'
  | 'start_failed'
  | 'not_running';

/** Causes that last until a person acts. */
const LASTING: readonly RedisUnavailableCause[] = [
  'wrong_password',
  'password_required',
  'permission',
  'not_redis',
  'too_old',
  'tls',
  'no_program',
  'data_dir',
  'start_failed',
  'not_running',
];

interface RedisUnavailableOptions extends ErrorOptions {
  readonly advice: string;
}

export const HOW_TO_GET_REDIS =
  'Install one (Debian/Ubuntu: apt-get install redis-server; macOS: brew install redis), ' +
  'or run one (docker run -p 6379:6379 redis:7), or set REDIS_URL to an existing one.';

/** `REDIS_UNAVAILABLE`: says what was tried (never a password) and, in `advice`, how to fix it. */
export class RedisUnavailableError extends PublishError {
  readonly why: RedisUnavailableCause;
  readonly #advice: string;

  /** More exact than the error table's advice. */
  override get advice(): string {
    return this.#advice;
  }

  /** Whether it may be over soon without anybody doing anything. */
  get passes(): boolean {
    return !LASTING.includes(this.why);
  }

  constructor(why: RedisUnavailableCause, reason: string, options: RedisUnavailableOptions) {
    super('REDIS_UNAVAILABLE', { reason }, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'RedisUnavailableError';
    this.why = why;
    this.#advice = options.advice;
  }
}

/**
 * Runs what asks Redis. Its trouble, in whatever words ioredis has for it, becomes `REDIS_UNAVAILABLE`.
 * @throws PublishError
 */
export async function withRedisErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError || isFault(error)) throw error;
    const reason = error instanceof Error ? redisRefusalOf(error) : undefined;
    throw new PublishError('REDIS_UNAVAILABLE', reason === undefined ? {} : { reason }, { cause: error });
  }
}

/**
 * Runs what asks Redis, in a loop that waits out its outages.
 * @returns undefined while Redis can't be asked
 * @throws PublishError any other than `REDIS_UNAVAILABLE`
 */
export async function unlessRedisIsAway<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if ((error instanceof PublishError && error.code !== 'REDIS_UNAVAILABLE') || isFault(error)) throw error;
    return undefined;
  }
}

/** What only code throws that is wrong: no word of Redis's, and it would not pass. */
function isFault(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
