import { PublishError } from '../core/publish-error.ts';
import { redisRefusalOf } from '../core/redis-trouble.ts';

/**
 * Runs what asks Redis. Its trouble, in whatever words ioredis has for it, becomes `REDIS_UNAVAILABLE`.
 * @throws PublishError
 */
export async function tellingOfRedis<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError) throw error;
    const reason = error instanceof Error ? redisRefusalOf(error) : undefined;
    throw new PublishError('REDIS_UNAVAILABLE', reason === undefined ? {} : { reason }, { cause: error });
  }
}
