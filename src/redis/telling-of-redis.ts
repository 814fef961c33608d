import { PublishError } from '../core/publish-error.ts';

/** What Redis says when it answers and still refuses, by how its answer begins. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^OOM\b/, 'Redis is full and refuses writes'],
  [/^MISCONF\b/, 'Redis cannot write to its disk and refuses writes'],
  [/^READONLY\b/, 'this Redis is a replica and refuses writes'],
  [/^LOADING\b/, 'Redis is still reading its data'],
];

/**
 * Runs what asks Redis. Its trouble, in whatever words ioredis has for it, becomes `REDIS_UNAVAILABLE`.
 * @throws PublishError
 */
export async function tellingOfRedis<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PublishError) throw error;
    const reason = error instanceof Error ? refusalOf(error.message) : undefined;
    throw new PublishError('REDIS_UNAVAILABLE', reason === undefined ? {} : { reason }, { cause: error });
  }
}

function refusalOf(message: string): string | undefined {
  return REFUSALS.find(([begins]) => begins.test(message))?.[1];
}
