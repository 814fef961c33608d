import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { untilAborted } from '../core/deadline.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { HOW_TO_GET_REDIS, RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { prepareDataDir, refuseOthers } from './data-folder.ts';
import { withFolderLock } from './folder-lock.ts';
import { newPassword, type OwnLogin, ownUrl } from './own-login.ts';
import { findRedisProgram } from './redis-binary.ts';
import { freePort, type RedisProcess, type RedisProgram, redisLogTail, spawnRedis } from './redis-process.ts';
import { runningFolders } from './running-folders.ts';
import {
  askServerIdentity,
  findRunning,
  lastLogin,
  lockPath,
  type RunningRecord,
  readRecord,
  untilAnswers,
  untilEnded,
  untilOrphanGone,
  untilReplaced,
  writeRecord,
} from './running-redis.ts';

const READY_TIMEOUT_MS = MINUTE_MS;
const READY_RETRY_MS = 10;
/** The holder may have to download Redis. */
const LOCK_WAIT_MS = 5 * MINUTE_MS;
const STOP_TIMEOUT_MS = 20 * SECOND_MS;
const PORT_ATTEMPTS = 5;
const LONGEST_PAUSE_MS = 30 * SECOND_MS;

interface EmbeddedRedisOptions {
  /** Folder of the data; processes that name the same folder share one Redis. Must be on a local disk. */
  readonly dataDir: string;
  /** Folder that may keep a downloaded Redis between runs. */
  readonly cacheDir: string;
  readonly log?: Logger | undefined;
  /** Loopback port to use instead of any free one. */
  readonly port?: number | undefined;
  /** Called with the data folder (without symbolic links) each time this process has started its Redis. */
  readonly onStart?: ((dataDir: string) => Promise<void>) | undefined;
}

export interface EmbeddedRedis {
  readonly url: string;
  /** How it was found; `shared`: started by another process of ours on the same data folder. */
  readonly kind: RedisProgram['kind'] | 'shared';
  /** Of the one that runs now. */
  readonly pid: number;
  /** Without symbolic links. */
  readonly dataDir: string;
  /** Writes everything to disk and stops Redis, if it is ours; if it is shared, leaves it running. */
  close(): Promise<void>;
}

/** A Redis that this process uses. */
interface UsedRedis {
  readonly record: RunningRecord;
  /** If this process started it. */
  readonly started?: { readonly redis: RedisProcess; readonly kind: RedisProgram['kind'] };
}

/**
 * Starts a Redis with its data in `dataDir`, or joins the one that another process has running there. It ends
 * with the process that started it, however that ends; one of those that joined it then starts it again, and what was
 * written stays.
 *
 * @throws RedisUnavailableError with what is missing and how to get it.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dataDir = await prepareDataDir(options.dataDir);
  const closing = new AbortController();
  const { signal } = closing;
  const first = await joinOrStart(options, signal);
  let used = first;

  async function keep(): Promise<void> {
    for (;;) {
      await untilOver(used, dataDir, signal);
      if (signal.aborted) return;
      await giveUp(used, dataDir, options.log);
      used = (await retrying(() => joinOrStart(options, signal), signal, options.log)) ?? used;
    }
  }

  const kept = keep();
  let closed: Promise<void> | undefined;
  return {
    url: ownUrl(first.record),
    kind: first.started?.kind ?? 'shared',
    dataDir,
    get pid() {
      return used.record.pid;
    },
    close: () => {
      closing.abort();
      closed ??= kept.then(() => stop(used, dataDir));
      return closed;
    },
  };
}

/** One of several processes that call this at the same time starts a Redis, and the others join it. */
async function joinOrStart(options: EmbeddedRedisOptions, signal: AbortSignal): Promise<UsedRedis> {
  // Each time: somebody may have removed the folder.
  const dataDir = await prepareDataDir(options.dataDir);
  const running = await findRunning(dataDir);
  if (running?.ownerRuns) return join(running.record, options.log);
  return withFolderLock(lockPath(dataDir), { waitMs: LOCK_WAIT_MS, signal }, async () => {
    const survivor = await untilOrphanGone(dataDir);
    return survivor ? join(survivor, options.log) : await start(dataDir, options);
  });
}

async function untilOver({ record, started }: UsedRedis, dataDir: string, signal: AbortSignal): Promise<void> {
  if (started === undefined) return await untilEnded(record, signal);
  await Promise.race([started.redis.exited, untilReplaced(dataDir, record, signal), untilAborted(signal)]);
}

/** Leaves a Redis that has ended, or whose folder another one has: two of them would be two sets of jobs. */
async function giveUp({ started }: UsedRedis, dataDir: string, log: Logger | undefined): Promise<void> {
  if (started === undefined) {
    log?.warn('the redis that another process started has ended');
  } else if (started.redis.hasExited()) {
    log?.error({ logTail: await redisLogTail(dataDir) }, 'embedded redis stopped unexpectedly');
  } else {
    log?.error('the data folder was removed and another redis runs in it: stopping ours, whose jobs are lost');
    await end(started.redis);
  }
}

/** Resolves to undefined on `signal`. */
async function retrying<T>(attempt: () => Promise<T>, signal: AbortSignal, log?: Logger): Promise<T | undefined> {
  for (let failed = 1; !signal.aborted; failed += 1) {
    try {
      return await attempt();
    } catch (err) {
      if (signal.aborted) return undefined;
      log?.error({ err, attempt: failed }, 'embedded redis failed to restart');
      const pauseMs = Math.min(failed * SECOND_MS, LONGEST_PAUSE_MS);
      await sleep(pauseMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
  return undefined;
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
  await refuseOthers(path);
  const dataDir = await realpath(path).catch(() => path);
  const running = await untilAnswers(dataDir);
  if (running === undefined) throw notRunning(dataDir, await runningFolders(cacheDir));
  const { record } = join(running, log);
  return { url: ownUrl(record), kind: 'shared', pid: record.pid, dataDir, close: async () => undefined };
}

function join(record: RunningRecord, log: Logger | undefined): UsedRedis {
  log?.info({ port: record.port }, 'using the redis that another process started in this data folder');
  return { record };
}

async function start(dataDir: string, options: EmbeddedRedisOptions): Promise<UsedRedis> {
  const program = await findRedisProgram(options);
  const { redis, record } = await startOnSomePort(program, dataDir, options.port);
  try {
    await writeRecord(dataDir, record);
  } catch (error) {
    // Nobody would find it, and the next attempt would start a second one on the same files.
    await end(redis);
    throw error;
  }
  const { kind, version } = program;
  options.log?.info({ port: record.port, kind, version }, 'embedded redis started');
  await options.onStart?.(dataDir);
  return { record, started: { redis, kind } };
}

/** On the last port of this folder, with its last password, where it can, since connections that wait for it look there. */
async function startOnSomePort(
  program: RedisProgram,
  dataDir: string,
  wantedPort: number | undefined,
): Promise<{ redis: RedisProcess; record: RunningRecord }> {
  const last = await lastLogin(dataDir);
  const password = last?.password ?? newPassword();
  for (let attempt = 1; ; attempt += 1) {
    const login = { port: wantedPort ?? (await freePort(attempt === 1 ? last?.port : undefined)), password };
    const redis = await spawnRedis(program, dataDir, login);
    const record = await untilReady(redis, login);
    if (record) return { redis, record };
    redis.kill('SIGKILL');
    await redis.exited;
    const logTail = await redisLogTail(dataDir);
    const portTaken = /address already in use/i.test(logTail);
    if (!portTaken || wantedPort !== undefined || attempt === PORT_ATTEMPTS) throw startFailed(program, logTail);
  }
}

/** Resolves to undefined if Redis ended or did not answer in time. */
async function untilReady(redis: RedisProcess, login: OwnLogin): Promise<RunningRecord | undefined> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!redis.hasExited() && performance.now() < deadline) {
    const identity = await askServerIdentity(login);
    // Another program's Redis may have taken the port; ours is about to end then.
    if (identity?.pid === redis.pid) return { ...login, ...identity, ownerPid: process.pid };
    await Promise.race([redis.exited, sleep(READY_RETRY_MS)]);
  }
  return undefined;
}

/** Stops it if it is ours, under the lock, so that no process starts a second Redis on files that are still being written. */
async function stop({ record, started }: UsedRedis, dataDir: string): Promise<void> {
  if (started === undefined) return;
  started.redis.ref();
  await withFolderLock(lockPath(dataDir), { waitMs: LOCK_WAIT_MS }, async () => {
    // If it has ended already, another process may run one by now.
    if ((await readRecord(dataDir))?.runId !== record.runId) return end(started.redis);
    // Without an owner no process joins any more; one that starts now waits for the lock.
    await writeRecord(dataDir, { ...record, ownerPid: undefined });
    await end(started.redis);
    await writeRecord(dataDir, { port: record.port, password: record.password });
  });
}

async function end(redis: RedisProcess): Promise<void> {
  redis.kill('SIGTERM');
  const killTimer = setTimeout(() => redis.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await redis.exited;
  clearTimeout(killTimer);
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
