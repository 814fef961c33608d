import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { HOW_TO_GET_REDIS, RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { withFolderLock } from './folder-lock.ts';
import { findRedisProgram } from './redis-binary.ts';
import { freePort, type RedisProcess, type RedisProgram, redisLogTail, spawnRedis } from './redis-process.ts';
import { runningFolders } from './running-folders.ts';
import {
  askServerIdentity,
  findRunning,
  lastPort,
  type RunningRecord,
  untilAnswers,
  untilOrphanGone,
  writeRecord,
} from './running-redis.ts';

const READY_TIMEOUT_MS = MINUTE_MS;
const READY_RETRY_MS = 10;
const LOCK_WAIT_MS = READY_TIMEOUT_MS + 30 * SECOND_MS;
const STOP_TIMEOUT_MS = 20 * SECOND_MS;
const PORT_ATTEMPTS = 5;
/** Tries to start a Redis again that ended by itself. */
const REVIVALS = 5;

interface EmbeddedRedisOptions {
  /** Folder of the data; processes that name the same folder share one Redis. Must be on a local disk. */
  readonly dataDir: string;
  /** Folder that may keep a downloaded Redis between runs. */
  readonly cacheDir: string;
  readonly log?: Logger | undefined;
  /** Loopback port to use instead of any free one. */
  readonly port?: number | undefined;
}

export interface EmbeddedRedis {
  readonly url: string;
  /** `shared`: started by another process of ours on the same data folder, and gone when that one ends. */
  readonly kind: RedisProgram['kind'] | 'shared';
  readonly pid: number;
  /** Without symbolic links. */
  readonly dataDir: string;
  /** Writes everything to disk and stops Redis, if it is ours; if it is shared, leaves it running. */
  close(): Promise<void>;
}

/**
 * Starts a Redis with its data in `dataDir`, or joins the one that another process has running there. It ends
 * with the process that started it, however that ends; what was written stays for the next start.
 *
 * @throws RedisUnavailableError with what is missing and how to get it.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dataDir = await prepareDataDir(options.dataDir);
  const running = await findRunning(dataDir);
  if (running?.ownerRuns) return share(running.record, dataDir, options.log);
  const program = await findRedisProgram(options);
  return withFolderLock(lockPath(dataDir), { waitMs: LOCK_WAIT_MS }, async () => {
    const survivor = await untilOrphanGone(dataDir);
    if (survivor) return share(survivor, dataDir, options.log);
    return own(program, dataDir, options);
  });
}

/**
 * Joins the Redis that another process has running in `dataDir`, and starts none.
 *
 * @throws RedisUnavailableError `not_running`, which names the folders of this user where one runs; `timeout`
 */
export async function joinEmbeddedRedis({
  dataDir: path,
  cacheDir,
  log,
}: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dataDir = await realpath(path).catch(() => path);
  const running = await untilAnswers(dataDir);
  if (running === undefined) throw notRunning(dataDir, await runningFolders(cacheDir));
  return share(running, dataDir, log);
}

async function prepareDataDir(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (cause) {
    throw new RedisUnavailableError('data_dir', `the data folder ${path} cannot be created`, {
      advice: 'Set DATA_DIR to a folder that this user can write to.',
      cause,
    });
  }
}

function share(record: RunningRecord, dataDir: string, log?: Logger): EmbeddedRedis {
  log?.info({ port: record.port }, 'using the redis that another process started in this data folder');
  return { url: urlOf(record.port), kind: 'shared', pid: record.pid, dataDir, close: async () => undefined };
}

async function own(program: RedisProgram, dataDir: string, options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { log } = options;
  let { redis, record } = await startOnSomePort(program, dataDir, options.port);
  await writeRecord(dataDir, record);
  log?.info({ port: record.port, kind: program.kind, version: program.version }, 'embedded redis started');
  let stopping: Promise<void> | undefined;
  let reviving: Promise<void> | undefined;

  function watch(): void {
    void redis.exited.then(async () => {
      if (stopping !== undefined) return;
      log?.error({ logTail: await redisLogTail(dataDir) }, 'embedded redis stopped unexpectedly');
      reviving = revive();
    });
  }

  /** Starts it again, on the same port if that is free. */
  async function revive(): Promise<void> {
    for (let attempt = 1; attempt <= REVIVALS && stopping === undefined; attempt += 1) {
      try {
        const started = await withFolderLock(lockPath(dataDir), { waitMs: LOCK_WAIT_MS }, async () => {
          const again = await startOnSomePort(program, dataDir, options.port);
          await writeRecord(dataDir, again.record);
          return again;
        });
        ({ redis, record } = started);
        log?.warn({ port: record.port }, 'embedded redis restarted');
        watch();
        return;
      } catch (err) {
        log?.error({ err, attempt }, 'embedded redis failed to restart');
        await sleep(attempt * SECOND_MS, undefined, { ref: false });
      }
    }
  }

  watch();
  return {
    url: urlOf(record.port),
    kind: program.kind,
    dataDir,
    get pid() {
      return redis.pid;
    },
    close: () => {
      stopping ??= Promise.resolve(reviving).then(() => stop(redis, dataDir, record.port));
      return stopping;
    },
  };
}

/** On the last port of this folder where it can, since connections that wait for it look there. */
async function startOnSomePort(
  program: RedisProgram,
  dataDir: string,
  wantedPort: number | undefined,
): Promise<{ redis: RedisProcess; record: RunningRecord }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wantedPort ?? (await freePort(attempt === 1 ? await lastPort(dataDir) : undefined));
    const redis = await spawnRedis(program, dataDir, port);
    const record = await untilReady(redis, port);
    if (record) return { redis, record };
    redis.kill('SIGKILL');
    await redis.exited;
    const logTail = await redisLogTail(dataDir);
    const portTaken = /address already in use/i.test(logTail);
    if (!portTaken || wantedPort !== undefined || attempt === PORT_ATTEMPTS) throw startFailed(program, logTail);
  }
}

/** Resolves to undefined if Redis ended or did not answer in time. */
async function untilReady(redis: RedisProcess, port: number): Promise<RunningRecord | undefined> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!redis.hasExited() && performance.now() < deadline) {
    const identity = await askServerIdentity(port);
    // Another program's Redis may have taken the port; ours is about to end then.
    if (identity?.pid === redis.pid) return { port, ...identity, ownerPid: process.pid };
    await Promise.race([redis.exited, sleep(READY_RETRY_MS)]);
  }
  return undefined;
}

/** Stops under the lock, so that no process starts a second Redis on files that are still being written. */
async function stop(redis: RedisProcess, dataDir: string, port: number): Promise<void> {
  redis.ref();
  await withFolderLock(lockPath(dataDir), { waitMs: LOCK_WAIT_MS }, async () => {
    // With this record no process joins any more; one that starts now waits for the lock.
    await writeRecord(dataDir, { port });
    redis.kill('SIGTERM');
    const killTimer = setTimeout(() => redis.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await redis.exited;
    clearTimeout(killTimer);
  });
}

function notRunning(dataDir: string, others: readonly string[]): RedisUnavailableError {
  const here = `no service is running in ${dataDir} (DATA_DIR), so there is no Redis to use`;
  if (others.length === 0) {
    return new RedisUnavailableError('not_running', here, {
      advice:
        'Start it: tiktok-publisher start. If it is running already, set DATA_DIR or REDIS_URL here as it has them.',
    });
  }
  return new RedisUnavailableError('not_running', `${here}; one is running in ${others.join(' and in ')}`, {
    advice: `To use that one, set DATA_DIR=${others[0]}. To start one here: tiktok-publisher start.`,
  });
}

function startFailed(program: RedisProgram, logTail: string): RedisUnavailableError {
  return new RedisUnavailableError('start_failed', `${program.command} did not start: ${logTail || 'no output'}`, {
    advice: `Check redis.log in the data folder. As an alternative: ${HOW_TO_GET_REDIS}`,
  });
}

const lockPath = (dataDir: string) => join(dataDir, 'redis.lock');
const urlOf = (port: number) => `redis://127.0.0.1:${port}`;
