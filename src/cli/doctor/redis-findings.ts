import { statfs } from 'node:fs/promises';
import type { App } from '../../app/open-app.ts';
import type { StoredParts } from '../../app/redis-parts.ts';
import type { RedisTarget } from '../../config/redis-config.ts';
import { bytesText } from '../../core/quantity-text.ts';
import { GIGABYTE_BYTES, MEGABYTE_BYTES, SECOND_MS } from '../../core/units.ts';
import { describeRestore, ownNotice, WAY_OUT } from '../../ledger/restore-notice.ts';
import { versionFileOf } from '../../ledger/version-file.ts';
import { describeTarget } from '../../redis/connection-error.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { NEEDED_BY_ENQUEUERS, NEEDED_BY_SERVICES } from '../../redis/needed-commands.ts';
import { describeMissing, findMissingPermissions, type MissingPermissions } from '../../redis/permissions.ts';
import { isVersionSupported, LEAST_REDIS_VERSION, type ServerFacts } from '../../redis/server-facts.ts';
import { trustsAnybody } from '../../redis/tls-options.ts';
import type { Finding } from './finding.ts';

/** A Redis that cannot write its file refuses every change; rewriting it takes its size once more. */
const ADVICE_BELOW_BYTES = 2 * GIGABYTE_BYTES;
const PROBLEM_BELOW_BYTES = GIGABYTE_BYTES / 5;

/** Of `maxmemory`; beyond it, writes may soon be refused. */
const FULL_RATIO = 0.9;
/** Redis ends blocking reads, by which workers wait for what is due, this often a second. */
const PUNCTUAL_HZ = 100;
/** What `start` opens at most where nothing is confirmed, as docs/deployment.md has it. */
const START_CONNECTIONS = 10;
/** Room for a second service while a first one is replaced. */
const SPARE_CONNECTIONS = 20;

/** Whether the Redis we write to keeps what it is given. */
export function redisFindings(servers: readonly ServerFacts[], target: RedisTarget): Finding[] {
  const isUsedAlone = target.kind === 'url' && servers.some(({ isClusterNode }) => isClusterNode);
  const findings = [...servers.flatMap(serverFindings), ...(isUsedAlone ? [USED_ALONE] : [])];
  const engines = [...new Set(servers.map(({ engine }) => engine))].join(', ');
  const count = servers.length > 1 ? `, ${servers.length} masters` : '';
  const message = `${engines} responds at ${describeTarget(target).address}${count}`;
  return [
    { check: 'redis', level: 'ok', message },
    ...findings.map((found) => ({ check: 'redis', ...found }) as const),
  ];
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
    message: `workers cannot run with these settings, only programs that enqueue and read: ${what}`,
    fix: `Needed only if workers will run with these settings. ${fix}`,
  };
}

const INSECURE: Finding = {
  check: 'redis',
  level: 'problem',
  message: 'REDIS_TLS_INSECURE is true: an attacker on the network can read and change all data, including tokens',
  fix: 'Set REDIS_TLS_CA_FILE to the CA certificate file of Redis, and remove REDIS_TLS_INSECURE.',
};

type RedisFinding = Omit<Finding, 'check'>;

const USED_ALONE: RedisFinding = {
  level: 'advice',
  message: 'it is a node of a Redis Cluster: after a failover, another node has our keys, and workers cannot run',
  fix: 'Set REDIS_CLUSTER_NODES to this address instead of REDIS_URL.',
};

/** What to say of one server. Exported for servers that a test can't start. @internal */
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
  const fix = 'Set the address of its master in the settings, or set REDIS_SENTINELS to find it.';
  return [{ level: 'problem', message: 'it is a read-only replica: no job can be enqueued', fix }];
}

function versionFindings({ version }: ServerFacts): RedisFinding[] {
  if (isVersionSupported(version)) return [];
  const message = `Redis ${version} is too old for BullMQ`;
  return [{ level: 'problem', message, fix: `Upgrade it to ${LEAST_REDIS_VERSION.join('.')} or newer.` }];
}

function memoryFindings({ maxmemoryPolicy, maxmemoryBytes, usedMemoryBytes }: ServerFacts): RedisFinding[] {
  const findings: RedisFinding[] = [];
  if (maxmemoryPolicy !== 'noeviction') {
    findings.push({
      level: 'problem',
      message: `it may evict jobs and accounts when it is full: maxmemory-policy is ${maxmemoryPolicy}`,
      fix: 'Set `maxmemory-policy noeviction` in redis.conf. To apply it immediately: redis-cli config set maxmemory-policy noeviction',
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
  const fix = `Set \`hz ${PUNCTUAL_HZ}\` in redis.conf. To apply it immediately: redis-cli config set hz ${PUNCTUAL_HZ}`;
  return [{ level: 'advice', message, fix }];
}

function connectionFindings({ maxClients, connectedClients }: ServerFacts): RedisFinding[] {
  if (maxClients === undefined) return [];
  const fix = 'Raise `maxclients` of Redis. docs/deployment.md lists the connections of each process.';
  if (maxClients < START_CONNECTIONS) {
    const message = `\`start\` needs ${START_CONNECTIONS} connections, but Redis allows only ${maxClients}`;
    return [{ level: 'problem', message, fix }];
  }
  const free = maxClients - connectedClients;
  if (free >= SPARE_CONNECTIONS) return [];
  const message = `it allows only ${free} more connections: maxclients is ${maxClients}`;
  return [{ level: 'advice', message, fix }];
}

const APPEND_ONLY = 'Set `appendonly yes` in redis.conf. To apply it immediately: redis-cli config set appendonly yes';

function persistenceFindings({ appendsOnly, savePoints, lastWriteFailed }: ServerFacts): RedisFinding[] {
  const findings: RedisFinding[] = [];
  if (lastWriteFailed) {
    findings.push({
      level: 'problem',
      message: 'its last write to disk failed',
      fix: 'Check the Redis log, and the free space and permissions of its folder. Redis may reject writes until this is fixed.',
    });
  }
  if (!appendsOnly && savePoints === '') {
    findings.push({
      level: 'problem',
      message: 'it stores nothing on disk: a restart loses all jobs and accounts',
      fix: APPEND_ONLY,
    });
  } else if (!appendsOnly) {
    const message =
      'it writes only snapshots, or does not report its persistence: a crash may lose the latest jobs and recently refreshed tokens';
    findings.push({ level: 'advice', message, fix: APPEND_ONLY });
  }
  return findings;
}

/** Whether Redis was set back to an older state, by what workers say and by what this machine saw last. */
export async function ledgerFindings(app: App, { versions }: Pick<StoredParts, 'versions'>): Promise<Finding[]> {
  const found = await versions.read();
  const notice = found.notices[0] ?? ownNotice(await versionFileOf(app)?.read(), found);
  if (notice === undefined) return [];
  return [{ check: 'redis', level: 'problem', message: describeRestore(notice), fix: WAY_OUT }];
}

/** Whether the disk of our own Redis has room. @param freeBytesOf told by the system unless a test says otherwise */
export async function diskFindings(dataDir: string, freeBytesOf = readFreeBytes): Promise<Finding[]> {
  const freeBytes = await freeBytesOf(dataDir);
  if (freeBytes >= ADVICE_BELOW_BYTES) return [];
  return [
    {
      check: 'redis',
      level: freeBytes < PROBLEM_BELOW_BYTES ? 'problem' : 'advice',
      message: `the disk of DATA_DIR has only ${bytesText(freeBytes)} left; when it is full, Redis rejects all writes`,
      fix: 'Free some space, or move DATA_DIR to a larger disk.',
    },
  ];
}

async function readFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
