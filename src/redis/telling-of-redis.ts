import { PublishError } from '../core/publish-error.ts';

/**
 * Runs what asks Redis. Its trouble, in whatever words ioredis has for it, becomes `REDIS_UNAVAILABLE`.
 * @throws PublishError
 */
export async function tellingOfRedis<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError) throw error;
    throw new PublishError('REDIS_UNAVAILABLE', {}, { cause: error });
  }
}
