import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { accessArguments } from './own-login.ts';

/**
 * Turns into Redis itself (so our child's process id is Redis's), leaving behind a watcher that reads our end
 * of a pipe. The kernel closes that pipe however we die, SIGKILL included; the watcher then stops Redis. A word
 * on the pipe says that Redis has ended already, and that its process id may by now be another program's.
 */
const LAUNCH = `
umask 077
exec 3<&0 </dev/null
redis=$$
( ( read -r word <&3; [ -n "$word" ] || kill -TERM "$redis" ) >/dev/null 2>&1 & )
exec 3<&-
[ -z "$1" ] || export LD_LIBRARY_PATH="$1"
shift
exec "$@"
`;

const LOG_TAIL_CHARACTERS = 2_000;
/** Half-open. */
const OWN_PORTS = [20_000, 32_000] as const;

export interface RedisProcess {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** Asks it to flush and end; `SIGKILL` does not ask. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Keeps our process alive until Redis has ended; without it Redis never keeps it alive. */
  ref(): void;
}

/**
 * Starts `program` on a loopback port, for those who know the password, with its files and its log in `dataDir`. It ends
 * when we do.
 */
export async function spawnRedis(
  program: RedisProgram,
  dataDir: string,
  { port, password }: { readonly port: number; readonly password: string },
): Promise<RedisProcess> {
  const log = await open(logPath(dataDir), 'w', 0o600);
  try {
    const command = [program.libraryPath ?? '', program.command, ...redisArguments(dataDir, port, password)];
    const child = spawn('/bin/sh', ['-c', LAUNCH, 'redis-launch', ...command], {
      cwd: dataDir,
      // A session of its own: Ctrl-C must reach us, not Redis, which has to outlive the workers.
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
    });
    await once(child, 'spawn');
    return watch(child);
  } finally {
    await log.close();
  }
}

function watch(child: ChildProcess): RedisProcess {
  const { pid, stdin } = child;
  if (pid === undefined || stdin === null) throw new Error('expected a started process with a pipe');
  stdin.on('error', () => undefined);
  const exited = once(child, 'exit').then(() => {
    stdin.end('ended\n');
  });
  child.unref();
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return {
    pid,
    exited,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal) => void child.kill(signal),
    ref: () => child.ref(),
  };
}

/**
 * `--hz 100` because delayed jobs wake at the server's tick: at the default 10 they are up to 100 ms late. The hashes of jobs
 * take less than half the memory where Redis packs them, which by default it does up to 64 bytes a value. `ziplist` is the
 * name that versions before 7 know too.
 */
function redisArguments(dataDir: string, port: number, password: string): string[] {
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir: dataDir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    hz: '100',
    'hash-max-ziplist-value': '1024',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), ...accessArguments(password)];
}

/** The end of what Redis logged since it was started, to explain why it did not. */
export async function redisLogTail(dataDir: string): Promise<string> {
  const text = await readFile(logPath(dataDir), 'utf8').catch(() => '');
  return text.slice(-LOG_TAIL_CHARACTERS).trim();
}

function logPath(dataDir: string): string {
  return join(dataDir, 'redis.log');
}

/**
 * A loopback port that was free a moment ago; another program may take it before we do. `preferred`, if that is free,
 * or else one below those that systems give to outgoing connections, which may take it while we restart.
 */
export async function freePort(preferred?: number): Promise<number> {
  for (let port = preferred; ; port = undefined) {
    const candidate = port ?? randomInt(...OWN_PORTS);
    if (await isFree(candidate)) return candidate;
  }
}

async function isFree(port: number): Promise<boolean> {
  // Connections that look for their Redis here would keep it open.
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

export interface RedisProgram {
  /** `system`: found on the PATH. `debian-cache`: the distribution's package, unpacked into the cache folder. */
  readonly kind: 'system' | 'debian-cache';
  readonly command: string;
  /** Folder with the shared libraries that the program needs, if they are not the system's. */
  readonly libraryPath?: string;
  readonly version: string;
}

/** The version in what `redis-server --version` or `valkey-server --version` prints. */
export function parseServerVersion(printed: string): string | undefined {
  return /\bv=(\d+\.\d+\.\d+)/.exec(printed)?.[1];
}
