import { PublishError, toPublishError } from './publish-error.ts';
import { type RedisCode, redisCodeOf } from './redis-code.ts';

/** What it means for people that Redis answers and still refuses. */
const REFUSALS: Partial<Record<RedisCode, string>> = {
  OOM: 'Redis is full and rejects writes',
  MISCONF: 'Redis cannot write to its disk and rejects writes',
  READONLY: 'this Redis is a read-only replica',
  UNBLOCKED: 'this Redis has just become a replica',
  LOADING: 'Redis is still loading its data',
  MASTERDOWN: 'this Redis is a replica that has lost its master',
  CLUSTERDOWN: 'the Redis Cluster is down or has no master for our keys',
  TRYAGAIN: 'the Redis Cluster is moving our keys to another node',
  MOVED: 'the Redis Cluster has our keys on another node: use REDIS_CLUSTER_NODES, not REDIS_URL',
  NOREPLICAS: 'Redis has too few connected replicas (min-replicas-to-write) and rejects writes',
  NOPERM: 'the ACL of our Redis user denies a required command or key',
  NOAUTH: 'Redis requires a password, but none is set',
  WRONGPASS: 'Redis rejected the user name or password',
  MAXCLIENTS: 'Redis has reached its connection limit (maxclients)',
};
/** What ioredis says of a command while there is no connection, also as the last error of a cluster's redirections. */
const AWAY =
  /^(?:Too many Cluster redirections\. Last error: (?:\w*Error: )?)?(?:Connection is closed|Stream isn't writeable|Reached the max retries per request limit|Socket timeout|Command timed out|None of startup nodes|Failed to refresh slots|Cluster isn't ready|Cluster is ended|All sentinels are unreachable)/;

/** `REDIS_UNAVAILABLE` for an error by which Redis is away or refuses writes; undefined for any other. */
export function redisTroubleOf(error: unknown): PublishError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PublishError) return error.code === 'REDIS_UNAVAILABLE' ? error : undefined;
  const reason = redisRefusalOf(error);
  if (reason === undefined && !AWAY.test(error.message)) return undefined;
  return new PublishError('REDIS_UNAVAILABLE', reason === undefined ? {} : { reason }, { cause: error });
}

/** What the log says of an error: that Redis is away or has no replicas needs no stack. */
export function loggedTrouble(error: unknown): { code: string; reason: string } | { err: PublishError } {
  const isUnproven = error instanceof PublishError && error.code === 'REDIS_NOT_REPLICATED';
  const trouble = isUnproven ? error : redisTroubleOf(error);
  if (trouble === undefined) return { err: toPublishError(error) };
  const { code, message, details, cause } = trouble;
  // The row's text alone says little, and what ioredis says names no secret.
  const words = details.reason === undefined && cause instanceof Error ? wordsOf(cause) : undefined;
  return { code, reason: words === undefined ? message : `${message}: ${words}` };
}

function wordsOf({ message }: Error): string | undefined {
  // Tells of an option of ioredis.
  if (message.startsWith('Reached the max retries')) return undefined;
  // ioredis says so also when the sentinels answer and only the master that they name does not.
  if (message.startsWith('All sentinels are unreachable')) return 'no sentinel reports a reachable master';
  return message;
}

/** Why a Redis that answers refuses, human-readable; undefined where the error is no such refusal. */
export function redisRefusalOf(error: Error): string | undefined {
  const code = redisCodeOf(error);
  if (code === undefined) return undefined;
  const [, command] = code === 'NOPERM' ? (/permissions to run the '([\w|]+)' command/.exec(error.message) ?? []) : [];
  return command === undefined ? REFUSALS[code] : `the ACL of our Redis user denies ${command.toUpperCase()}`;
}
