import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirFrom } from '../../src/config/load-config.ts';
import { newPassword, ownUrl } from '../../src/embedded-redis/own-login.ts';
import { findRedisProgram } from '../../src/embedded-redis/redis-binary.ts';
import { spawnRedis } from '../../src/embedded-redis/redis-process.ts';
import { askServerIdentity } from '../../src/embedded-redis/running-redis.ts';
import { eventually } from './eventually.ts';
import { quietPort } from './redis-proxy/quiet-port.ts';

const APPEND_ONLY_FOLDER = 'appendonlydir';

/** The product's own Redis, whose append-only files can be backed up and put back, at the same address. */
export async function startRestorableRedis() {
  const program = await findRedisProgram({ cacheDir: cacheDirFrom(process.env) });
  const folder = await mkdtemp(join(tmpdir(), 'restorable-redis-'));
  const [data, backup] = [join(folder, APPEND_ONLY_FOLDER), join(folder, 'backup')];
  const login = { port: await quietPort(), password: newPassword() };
  const start = async () => {
    const started = await spawnRedis(program, folder, login);
    await eventually(async () => (await askServerIdentity(login))?.pid === started.pid);
    return started;
  };
  let server = await start();

  async function stop(): Promise<void> {
    server.ref();
    server.kill('SIGTERM');
    await server.exited;
  }

  return {
    url: ownUrl(login),

    /** Copies its files; nobody may write meanwhile. */
    async backUp(): Promise<void> {
      await stop();
      await rm(backup, { recursive: true, force: true });
      await cp(data, backup, { recursive: true });
      server = await start();
    },

    /** Throws away what came after the backup. */
    async restore(): Promise<void> {
      await stop();
      await rm(data, { recursive: true, force: true });
      await cp(backup, data, { recursive: true });
      server = await start();
    },

    async close(): Promise<void> {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
