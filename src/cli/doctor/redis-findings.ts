import type { RedisTarget } from '../../config/redis-config.ts';
import { MEGABYTE_BYTES, SECOND_MS } from '../../core/units.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { NEEDED_BY_ENQUEUERS, NEEDED_BY_SERVICES } from '../../redis/needed-commands.ts';
import { describeMissing, findMissingPermissions, type MissingPermissions } from '../../redis/permissions.ts';
import type { ServerFacts } from '../../redis/server-facts.ts';
import { isVersionSupported, LEAST_REDIS_VERSION } from '../../redis/supported-version.ts';
import { trustsAnybody } from '../../redis/tls-options.ts';
import type { Finding } from './finding.ts';

/** Of `maxmemory`; beyond it, writes may soon be refused. */
const FULL_RATIO = 0.9;
/** Redis ends blocking reads, by which workers wait for what is due, this often a second. */
const PUNCTUAL_HZ = 100;
/** What `start` opens at most where nothing is confirmed, as docs/deployment.md has it. */
const START_CONNECTIONS = 10;
/** Room for a second service while a first one is replaced. */
const SPARE_CONNECTIONS = 20;

/** Whether the Redis we write to keeps what it is given. */
export function redisFindings(servers: readonly ServerFacts[], address: string): Finding[] {
  const findings = servers
    .flatMap((facts) => serverFindings(facts))
    .map((found) => ({ check: 'redis', ...found }) as const);
  const version = [...new Set(servers.map((facts) => facts.version))].join(', ');
  const count = servers.length > 1 ? `, ${servers.length} masters` : '';
  return [{ check: 'redis', level: 'ok', message: `Redis ${version} answers at ${address}${count}` }, ...findings];
}

/** Whether we may do there what we need, and know that it is the right server. */
export async function accessFindings(redis: RedisClient, target: RedisTarget, prefix: string): Promise<Finding[]> {
  const missing = await findMissingPermissions(redis, prefix, NEEDED_BY_SERVICES);
  const described = describeMissing(missing, target, prefix);
  const permissions = described === undefined ? [] : [permissionFinding(described, mayEnqueue(missing))];
  return [...permissions, ...(trustsAnybody(target) ? [INSECURE] : [])];
}

/** Whether nothing is missing that a program needs which only enqueues, as the documented user for it. */
function mayEnqueue({ commands, keys }: MissingPermissions): boolean {
  const needed = [...NEEDED_BY_ENQUEUERS.direct, ...Object.keys(NEEDED_BY_ENQUEUERS.probes)];
  return !keys && !commands.some((command) => needed.includes(command));
}

function permissionFinding({ what, fix }: { what: string; fix: string }, isEnough: boolean): Finding {
  if (!isEnough) return { check: 'redis', level: 'problem', message: `workers cannot run: ${what}`, fix };
  return {
    ...{ check: 'redis', level: 'advice' },
    message: `these settings are for programs that only enqueue and look; workers cannot run with them: ${what}`,
    fix: `Nothing, unless a service is to run with them. ${fix}`,
  };
}

const INSECURE: Finding = {
  check: 'redis',
  level: 'problem',
  message: 'REDIS_TLS_INSECURE is true: whoever is in between can read and change everything, tokens included',
  fix: 'Name the certificate of its authority in REDIS_TLS_CA_FILE, and remove REDIS_TLS_INSECURE.',
};

type RedisFinding = Omit<Finding, 'check'>;

/** What to say of one server. Exported for servers that a test can't start. */
export function serverFindings(facts: ServerFacts): RedisFinding[] {
  return [
    ...versionFindings(facts),
    ...roleFindings(facts),
    ...memoryFindings(facts),
    ...persistenceFindings(facts),
    ...paceFindings(facts),
    ...connectionFindings(facts),
  ];
}

function roleFindings({ isReplica }: ServerFacts): RedisFinding[] {
  if (!isReplica) return [];
  const fix = 'Name its master in the settings, or let REDIS_SENTINELS find it.';
  return [{ level: 'problem', message: 'it is a replica, which refuses writes: nothing can be enqueued', fix }];
}

function versionFindings({ version }: ServerFacts): RedisFinding[] {
  if (isVersionSupported(version)) return [];
  const message = `Redis ${version} is older than BullMQ supports`;
  return [{ level: 'problem', message, fix: `Upgrade it to ${LEAST_REDIS_VERSION.join('.')} or newer.` }];
}

function memoryFindings({ maxmemoryPolicy, maxmemoryBytes, usedMemoryBytes }: ServerFacts): RedisFinding[] {
  const findings: RedisFinding[] = [];
  if (maxmemoryPolicy !== 'noeviction') {
    findings.push({
      level: 'problem',
      message: `it may throw jobs and accounts away when it is full: maxmemory-policy is ${maxmemoryPolicy}`,
      fix: 'Set `maxmemory-policy noeviction` in redis.conf, and at once with: redis-cli config set maxmemory-policy noeviction',
    });
  }
  if (maxmemoryBytes > 0 && usedMemoryBytes > FULL_RATIO * maxmemoryBytes) {
    const megabytes = (bytes: number) => (bytes / MEGABYTE_BYTES).toFixed(0);
    findings.push({
      level: 'problem',
      message: `it is nearly full: ${megabytes(usedMemoryBytes)} of ${megabytes(maxmemoryBytes)} MB`,
      fix: 'Raise `maxmemory`, or keep finished jobs for fewer days with RETENTION_DAYS.',
    });
  }
  return findings;
}

function paceFindings({ hz }: ServerFacts): RedisFinding[] {
  if (hz === undefined || hz >= PUNCTUAL_HZ) return [];
  const message = `delayed jobs start up to ${Math.round(SECOND_MS / hz)} ms late: hz is ${hz}`;
  const fix = `Set \`hz ${PUNCTUAL_HZ}\` in redis.conf, and at once with: redis-cli config set hz ${PUNCTUAL_HZ}`;
  return [{ level: 'advice', message, fix }];
}

function connectionFindings({ maxClients, connectedClients }: ServerFacts): RedisFinding[] {
  if (maxClients === undefined) return [];
  const fix = 'Raise `maxclients` of Redis; docs/deployment.md says how many connections each process opens.';
  if (maxClients < START_CONNECTIONS) {
    const message = `\`start\` needs ${START_CONNECTIONS} connections, and it takes only ${maxClients}`;
    return [{ level: 'problem', message, fix }];
  }
  const free = maxClients - connectedClients;
  if (free >= SPARE_CONNECTIONS) return [];
  const message = `it takes only ${free} more connections: maxclients is ${maxClients}`;
  return [{ level: 'advice', message, fix }];
}

const APPEND_ONLY = 'Set `appendonly yes` in redis.conf, and at once with: redis-cli config set appendonly yes';

function persistenceFindings({ appendsOnly, savePoints, lastWriteFailed }: ServerFacts): RedisFinding[] {
  const findings: RedisFinding[] = [];
  if (lastWriteFailed) {
    findings.push({
      level: 'problem',
      message: 'its last attempt to write to its disk failed',
      fix: 'Look at the log of Redis, and at the free space and the rights of its folder; it may refuse writes until it can.',
    });
  }
  if (!appendsOnly && savePoints === '') {
    findings.push({
      level: 'problem',
      message: 'it keeps nothing on disk: a restart forgets every job and every account',
      fix: APPEND_ONLY,
    });
  } else if (!appendsOnly) {
    const message =
      'it writes snapshots only, or does not tell: a crash may forget the latest jobs, and tokens that TikTok has just renewed';
    findings.push({ level: 'advice', message, fix: APPEND_ONLY });
  }
  return findings;
}
