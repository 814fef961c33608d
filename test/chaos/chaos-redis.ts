import { cacheDirFrom } from '../../src/config/cache-dir.ts';
import { findRedisProgram } from '../../src/redis/redis-binary.ts';
import { freePort, type RedisProcess, spawnRedis } from '../../src/redis/redis-process.ts';
import { askServerIdentity } from '../../src/redis/server-identity.ts';
import { eventually } from '../support/eventually.ts';

/** The product's own Redis, with its append-only file, that can be killed and comes back at the same address. */
export interface ChaosRedis {
  readonly url: string;
  /** SIGKILL: nothing is flushed by Redis itself. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a Redis with its files in a folder. */
export async function startChaosRedis(dataDir: string): Promise<ChaosRedis> {
  const program = await findRedisProgram({ cacheDir: cacheDirFrom(process.env) });
  const port = await freePort();
  let server = await start();

  async function start(): Promise<RedisProcess> {
    const started = await spawnRedis(program, dataDir, port);
    await eventually(async () => (await askServerIdentity(port))?.pid === started.pid, { timeoutMs: 20_000 });
    return started;
  }

  async function kill(): Promise<void> {
    server.ref();
    server.kill('SIGKILL');
    await server.exited;
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      server = await start();
    },
    close: kill,
  };
}
