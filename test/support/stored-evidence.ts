import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisClient } from '../../src/redis/lua-script.ts';
import type { Evidence } from './secret-search.ts';

/** How the whole content of a key of each type is read. */
const READ_COMMANDS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  stream: ['XRANGE', '-', '+'],
};

/** Names and contents of all keys of a Redis, byte for byte. */
export async function redisEvidence(redis: RedisClient): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
    evidence.push(...(await Promise.all(keys.map((key) => keyEvidence(redis, key)))).flat());
    cursor = next;
  } while (cursor !== '0');
  return evidence;
}

async function keyEvidence(redis: RedisClient, key: string): Promise<Evidence[]> {
  const type = await redis.type(key);
  if (type === 'none') return [];
  const [command, ...args] = READ_COMMANDS[type] ?? [];
  if (command === undefined) throw new Error(`expected a known type of ${key}, got ${type}`);
  const content = Buffer.from(`${key}\n${flatten(await redis.callBuffer(command, key, ...args)).join('\n')}`, 'latin1');
  // Another channel, since it is what programs outside are given.
  return [{ channel: key.endsWith(':events') ? 'events' : 'redis', place: `${type} ${key}`, content }];
}

function flatten(reply: unknown): string[] {
  if (Array.isArray(reply)) return reply.flatMap(flatten);
  return [Buffer.isBuffer(reply) ? reply.toString('latin1') : String(reply)];
}

/** The files below a folder, but for those of the given names. */
export async function fileEvidence(folder: string, except: readonly string[]): Promise<Evidence[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !except.includes(entry.name));
  return await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { channel: 'file', place: path, content: await readFile(path) };
    }),
  );
}

/** What every user of this machine can see of our processes: their arguments. */
export async function argumentEvidence(): Promise<Evidence[]> {
  const processIds = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(
    processIds.map(async (pid) => {
      const path = `/proc/${pid}/cmdline`;
      return { channel: 'argument', place: path, content: await readFile(path).catch(() => '') };
    }),
  );
}
