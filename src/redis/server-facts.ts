import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './lua-script.ts';

/** BullMQ warns below this one, and our scripts use its commands. */
export const LEAST_REDIS_VERSION = [6, 2] as const;

export interface ServerFacts {
  /** Of Redis; another engine tells which one it is compatible with. */
  readonly version: string;
  /** Its name and its own version, as people know it. */
  readonly engine: string;
  /** Whether it is a node of a cluster. */
  readonly isClusterNode: boolean;
  /** Whether it follows another one and so refuses writes. */
  readonly isReplica: boolean;
  readonly maxmemoryPolicy: string;
  /** 0: no limit of its own. */
  readonly maxmemoryBytes: number;
  readonly usedMemoryBytes: number;
  /** How many connections it takes; undefined where it does not tell. */
  readonly maxClients: number | undefined;
  readonly connectedClients: number;
  /** Whether it writes down each change (`appendonly yes`). */
  readonly appendsOnly: boolean;
  /** When it writes a snapshot, as `save` has it; undefined where it does not tell. */
  readonly savePoints: string | undefined;
  /** Whether its last attempt to write to its disk failed. */
  readonly lastWriteFailed: boolean;
  readonly connectedReplicas: number;
  /** `min-replicas-to-write`: with fewer replicas it refuses writes; undefined where it does not tell. */
  readonly minReplicasToWrite: number | undefined;
  /** How often a second it looks for what is due, at least; undefined where it does not tell. */
  readonly hz: number | undefined;
}

/** Asks every master that we write to. */
export async function readServerFacts(redis: RedisClient): Promise<ServerFacts[]> {
  return await Promise.all(
    mastersOf(redis).map(async (server) => {
      const field = parseInfo(await server.info());
      const hz = await readNumber(server, 'hz');
      return {
        version: field('redis_version'),
        engine:
          field('valkey_version') === '' ? `Redis ${field('redis_version')}` : `Valkey ${field('valkey_version')}`,
        isClusterNode: field('cluster_enabled') === '1',
        isReplica: field('role') === 'slave',
        maxmemoryPolicy: field('maxmemory_policy'),
        maxmemoryBytes: Number(field('maxmemory')),
        usedMemoryBytes: Number(field('used_memory')),
        // INFO tells since Redis 7.0.
        maxClients: Number(field('maxclients')) || (await readNumber(server, 'maxclients')),
        connectedClients: Number(field('connected_clients')),
        appendsOnly: field('aof_enabled') === '1',
        savePoints: await readSetting(server, 'save'),
        lastWriteFailed: ['aof_last_write_status', 'rdb_last_bgsave_status'].some((name) => field(name) === 'err'),
        connectedReplicas: Number(field('connected_slaves')),
        minReplicasToWrite: await readNumber(server, 'min-replicas-to-write'),
        hz,
      };
    }),
  );
}

function mastersOf(redis: RedisClient): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** CPU time of each master's main thread so far (ms); of the whole server where it does not tell, NaN if neither. */
export async function readServerCpuMs(redis: RedisClient): Promise<number[]> {
  return await Promise.all(
    mastersOf(redis).map(async (server) => {
      const field = parseInfo(await server.info('cpu'));
      const seconds = (name: string): number => Number.parseFloat(field(`${name}_main_thread`) || field(name));
      return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000;
    }),
  );
}

/** How far the clock of Redis is ahead of ours (ms), as exactly as one round trip tells. */
export async function measureClockAheadMs(redis: RedisClient, now: () => number): Promise<number> {
  const askedAt = now();
  const [seconds, microseconds] = await redis.time();
  const answeredAt = now();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (askedAt + answeredAt) / 2;
}

/** Reads an answer to INFO: the text of each field, empty where there is none. */
export function parseInfo(info: string): (name: string) => string {
  const fields = new Map(info.split(/\r?\n/).map((line) => splitAt(line, line.indexOf(':'))));
  return (name) => fields.get(name) ?? '';
}

function splitAt(line: string, at: number): [string, string] {
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

async function readNumber(server: Pick<RedisClient, 'config'>, name: string): Promise<number | undefined> {
  const text = await readSetting(server, name);
  return text === undefined ? undefined : Number(text);
}

/** Hosted ones often refuse CONFIG. */
async function readSetting(server: Pick<RedisClient, 'config'>, name: string): Promise<string | undefined> {
  const answer = await server.config('GET', name).catch(() => undefined);
  return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : undefined;
}

/** Whether a server of this version can be used; one that does not tell may try. */
export function isVersionSupported(version: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number);
  if (major === undefined || Number.isNaN(major) || version === '') return true;
  const [leastMajor, leastMinor] = LEAST_REDIS_VERSION;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
