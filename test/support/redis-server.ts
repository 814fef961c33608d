import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirFrom } from '../../src/config/load-config.ts';
import { findRedisProgram } from '../../src/embedded-redis/redis-binary.ts';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { eventually } from './eventually.ts';

/** A Redis with settings of its own, for tests of clusters and sentinels. */
export interface RedisServer {
  readonly port: number;
  /** Where nodes of a cluster talk to each other. */
  readonly busPort: number;
  /** `SIGSTOP` freezes it, `SIGCONT` wakes it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  close(): Promise<void>;
}

/** What is started: by default the Redis that the product finds. */
export interface ServerProgram {
  readonly command: string;
  readonly libraryPath?: string | undefined;
}

/** Starts a Redis with the given configuration lines; `--sentinel` as an argument makes it a Sentinel. */
export async function startRedisServer(
  configLines: readonly string[],
  args: readonly string[] = [],
  other?: ServerProgram,
): Promise<RedisServer> {
  const program = other ?? (await findRedisProgram({ cacheDir: cacheDirFrom(process.env) }));
  const folder = await mkdtemp(join(tmpdir(), 'redis-server-'));
  const port = await freePort();
  const configFile = join(folder, 'redis.conf');
  // Of itself a cluster's bus takes a port 10,000 above, where an outgoing connection may be.
  const busPort = await freePort();
  const bus = configLines.includes('cluster-enabled yes') ? [`cluster-port ${busPort}`] : [];
  const lines = ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, ...bus, ...configLines];
  await writeFile(configFile, `${lines.join('\n')}\n`);
  const env = { ...process.env, ...(program.libraryPath && { LD_LIBRARY_PATH: program.libraryPath }) };
  const server = spawn(program.command, [configFile, ...args], { env, stdio: 'ignore' });
  const exited = once(server, 'exit');
  await eventually(() => canConnect(port));
  return {
    ...{ port, busPort },
    signal: (signal) => void server.kill(signal),
    close: async () => {
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Passwords and cluster states do not matter yet. */
async function canConnect(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}
