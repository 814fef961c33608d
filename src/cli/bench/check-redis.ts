import type { App } from '../../app/open-app.ts';
import { bytesText } from '../../core/quantity-text.ts';
import { checkRedisForService } from '../../redis/await-redis.ts';
import { describeTarget } from '../../redis/connection-error.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { RedisUnavailableError } from '../../redis/redis-unavailable.ts';
import { readServerFacts, type ServerFacts } from '../../redis/server-facts.ts';
import { redisFindings } from '../doctor/redis-findings.ts';

/** What a publish and its account take in Redis at most until the end of the run. */
const BYTES_PER_PUBLISH = 30_000;
/** Of `maxmemory`. The rest is for the real jobs. */
const MOST_USED = 0.8;

/** The Redis that is measured. */
export interface BenchRedis {
  readonly version: string;
  /** Without user name and password. */
  readonly address: string;
  /** The setting that names it, or where it comes from without one. */
  readonly origin: string;
}

const ORIGINS: Readonly<Record<string, string>> = {
  shared: 'no REDIS_URL: the one that already runs in DATA_DIR',
  started: 'no REDIS_URL: one of our own, in DATA_DIR, stopped at the end',
};

/**
 * Whether Redis can take so many publishes beside the real jobs.
 * @returns which one it is, and what `doctor` notes about it
 * @throws RedisUnavailableError
 */
export async function checkRedisForBench(
  { target, redisKind }: Pick<App, 'target' | 'redisKind'>,
  redis: RedisClient,
  { queuePrefix, publishes }: { readonly queuePrefix: string; readonly publishes: number },
): Promise<{ readonly redis: BenchRedis; readonly notes: readonly string[] }> {
  await checkRedisForService(target, queuePrefix);
  const { address, setting } = describeTarget(target);
  const servers = await readServerFacts(redis);
  for (const server of servers) refuseFull(server, publishes, address);
  const findings = redisFindings(servers, target).filter(({ level }) => level !== 'ok');
  const origin = redisKind === 'external' ? setting : (ORIGINS[redisKind] ?? ORIGINS.started ?? '');
  return {
    redis: { version: servers[0]?.version ?? '', address, origin },
    notes: findings.map(({ message, fix = '' }) => `${message}. ${fix}`),
  };
}

function refuseFull({ maxmemoryBytes, usedMemoryBytes }: ServerFacts, publishes: number, address: string): void {
  const neededBytes = publishes * BYTES_PER_PUBLISH;
  if (maxmemoryBytes === 0 || usedMemoryBytes + neededBytes <= MOST_USED * maxmemoryBytes) return;
  const used = `${bytesText(usedMemoryBytes)} of ${bytesText(maxmemoryBytes)}`;
  const reason = `${publishes} publishes need ${bytesText(neededBytes)} of the Redis at ${address}, which uses ${used} (maxmemory)`;
  throw new RedisUnavailableError('full', reason, {
    advice:
      'Use a smaller --publishes, raise `maxmemory` of Redis, or set REDIS_URL to a Redis of the same kind without jobs.',
  });
}
