import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { debianRedis } from './debian-redis.ts';
import { parseServerVersion, type RedisProgram } from './redis-program.ts';

const run = promisify(execFile);

interface FindRedisOptions {
  /** Folder that may keep downloaded programs between runs. */
  readonly cacheDir: string;
  readonly log?: Logger | undefined;
}

/** BullMQ warns below 6.2. */
const OLDEST_VERSION = { major: 6, minor: 2 };

/**
 * Finds a Redis or Valkey on the PATH or else fetches the distribution's (Debian, Ubuntu) without root.
 *
 * @throws RedisUnavailableError `no_program` when there is none.
 */
export async function findRedisProgram(options: FindRedisOptions): Promise<RedisProgram> {
  for (const command of ['redis-server', 'valkey-server']) {
    const version = await versionOf(command);
    if (version !== undefined && isRecent(version)) return { kind: 'system', command, version };
  }
  return debianRedis(options);
}

async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, ['--version']);
    return parseServerVersion(stdout);
  } catch {
    return undefined;
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_VERSION.major || (major === OLDEST_VERSION.major && minor >= OLDEST_VERSION.minor);
}
