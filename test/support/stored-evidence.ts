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

/** Names and contents of all keys of a Redis, or of those with a text in their names, byte for byte. */
export async function redisEvidence(redis: RedisClient, text = ''): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `*${text}*`, 'COUNT', 1_000);
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

/** What every user of this machine can see of the processes that this one has started: their arguments. */
export async function argumentEvidence(): Promise<Evidence[]> {
  return await Promise.all(
    (await startedFromHere()).map(async (pid) => {
      const path = `/proc/${pid}/cmdline`;
      return { channel: 'argument', place: path, content: await readFile(path).catch(() => '') };
    }),
  );
}

/** Ids of all processes below this one; tests of other files run beside it, and may show what they like. */
async function startedFromHere(): Promise<string[]> {
  const processIds = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = new Map<string, string>();
  for (const pid of processIds) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // Behind the name, which may hold anything: state and parent.
    parents.set(pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '');
  }
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && pid !== '' && (pid === String(process.pid) || isOurs(parents.get(pid)));
  return processIds.filter(isOurs);
}
