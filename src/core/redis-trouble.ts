import { PublishError } from './publish-error.ts';

/** What Redis says when it answers and still refuses, by how its answer begins. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^OOM\b/, 'Redis is full and refuses writes'],
  [/^MISCONF\b/, 'Redis cannot write to its disk and refuses writes'],
  [/^READONLY\b/, 'this Redis is a replica and refuses writes'],
  [/^LOADING\b/, 'Redis is still reading its data'],
  [/^NOREPLICAS\b/, 'Redis has too few replicas in reach (min-replicas-to-write) and refuses writes'],
];
/** What ioredis says of a command while there is no connection. */
const AWAY =
  /^Connection is closed|^Stream isn't writeable|^Reached the max retries per request limit|^Socket timeout|^Command timed out|^None of startup nodes|^Failed to refresh slots|^Cluster isn't ready/;

/** `REDIS_UNAVAILABLE` for an error by which Redis is away or refuses writes; undefined for any other. */
export function redisTroubleOf(error: unknown): PublishError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PublishError) return error.code === 'REDIS_UNAVAILABLE' ? error : undefined;
  const reason = redisRefusalOf(error);
  if (reason === undefined && !AWAY.test(error.message)) return undefined;
  return new PublishError('REDIS_UNAVAILABLE', reason === undefined ? {} : { reason }, { cause: error });
}

/** Why a Redis that answers refuses, for people; undefined where the error is no such refusal. */
export function redisRefusalOf(error: Error): string | undefined {
  return REFUSALS.find(([begins]) => begins.test(error.message))?.[1];
}
