import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { isVersionSupported } from '../redis/server-facts.ts';
import { debianRedis } from './debian-redis.ts';
import { parseServerVersion, type RedisProgram } from './redis-process.ts';

const run = promisify(execFile);

interface FindRedisOptions {
  /** Folder that may keep downloaded programs between runs. */
  readonly cacheDir: string;
  readonly log?: Logger | undefined;
}

/**
 * Finds a Redis or Valkey on the PATH or else fetches the distribution's (Debian, Ubuntu) without root.
 *
 * @throws RedisUnavailableError `no_program` when there is none.
 */
export async function findRedisProgram(options: FindRedisOptions): Promise<RedisProgram> {
  for (const command of ['redis-server', 'valkey-server']) {
    const version = await versionOf(command);
    if (version !== undefined && isVersionSupported(version)) return { kind: 'system', command, version };
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
