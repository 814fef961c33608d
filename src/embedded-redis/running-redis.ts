import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseStored } from '../core/parse-stored.ts';
import { isErrno } from '../core/system-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { closeRedis, connectRedis } from '../redis/connections.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { parseInfo } from '../redis/server-facts.ts';
import { readOwnFile, refuseOthers } from './data-folder.ts';
import { isLocked } from './folder-lock.ts';
import { type OwnLogin, ownUrl } from './own-login.ts';

const ORPHAN_EXIT_WAIT_MS = 10 * SECOND_MS;
const ANSWER_WAIT_MS = 10 * SECOND_MS;
const RETRY_MS = 10;
/** How often the owner of a Redis looks whether the folder is still its own. */
const LOOK_MS = SECOND_MS;
/** More than a service needs to notice that the Redis of another one has ended. */
const NOTICE_MS = SECOND_MS / 2;

/**
 * What `redis.json` in the data folder says about the Redis that was started there last; after a stop only how to reach it.
 * While it is being stopped it has no owner.
 */
const StoppedRecord = z.object({ port: z.int(), password: z.string().optional() });
const RunningRecord = StoppedRecord.extend({ pid: z.int(), runId: z.string(), ownerPid: z.int().optional() });
export type RunningRecord = z.infer<typeof RunningRecord>;

/** The Redis that was started on `dataDir` and still answers; whether it stays depends on its owner. */
export async function findRunning(dataDir: string): Promise<{ record: RunningRecord; ownerRuns: boolean } | undefined> {
  const record = await readRecord(dataDir);
  if (!record || !(await answers(record))) return undefined;
  return { record, ownerRuns: await isRunning(record.ownerPid) };
}

async function answers(record: RunningRecord): Promise<boolean> {
  const identity = await askServerIdentity(record);
  return identity?.runId === record.runId;
}

/**
 * A Redis whose owner was killed is about to end: waits until it has written its last bytes. Resolves to the one
 * that runs on, if its owner does, or to undefined when nothing uses the files of this folder any more.
 *
 * @throws RedisUnavailableError `start_failed` when one still runs that is of no use; two must never write the same files
 */
export async function untilOrphanGone(dataDir: string): Promise<RunningRecord | undefined> {
  const deadline = performance.now() + ORPHAN_EXIT_WAIT_MS;
  for (;;) {
    const running = await findRunning(dataDir);
    if (running?.ownerRuns) return running.record;
    const record = running?.record ?? (await readRecord(dataDir));
    if (!record || !(await isRedisRunning(record))) return undefined;
    if (performance.now() > deadline) throw stillRunning(record);
    await sleep(RETRY_MS);
  }
}

/** Resolves when the Redis that another process started has ended, or on `signal`. */
export async function untilEnded(record: RunningRecord, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await isRedisRunning(record))) {
    await untilHungUp(record.port, signal);
    // Without a reference, so that it keeps no process alive; a process that closes must not wait for it.
    await sleep(RETRY_MS, undefined, { ref: false, signal }).catch(() => undefined);
  }
}

/** Resolves when another Redis than this one was started on `dataDir`, as after somebody removed the folder, or on `signal`. */
export async function untilReplaced(dataDir: string, { runId }: RunningRecord, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined);
    const record = await readRecord(dataDir);
    if (record !== undefined && record.runId !== runId) return;
  }
}

async function untilHungUp(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, signal }).unref().resume();
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
}

/** Whether a process of ours runs a Redis on `dataDir`, which may be too busy to answer just now. */
export async function isServed(dataDir: string): Promise<boolean> {
  const record = await readRecord(dataDir);
  return record !== undefined && (await isRunning(record.ownerPid)) && (await isRedisRunning(record));
}

/** Whether a Redis runs, starts or stops on `dataDir`; where one ran before, another service may be about to start it. */
async function isExpected(dataDir: string): Promise<boolean> {
  const isThere = async () => {
    const record = await readRecord(dataDir);
    return (record !== undefined && (await isRedisRunning(record))) || (await isLocked(lockPath(dataDir)));
  };
  if (await isThere()) return true;
  if ((await lastLogin(dataDir)) === undefined) return false;
  await sleep(NOTICE_MS);
  return await isThere();
}

/**
 * The Redis that a process of ours runs on `dataDir`, once it answers; undefined where none runs.
 *
 * @throws RedisUnavailableError `timeout` when it does not answer
 */
export async function untilAnswers(dataDir: string): Promise<RunningRecord | undefined> {
  const deadline = performance.now() + ANSWER_WAIT_MS;
  for (;;) {
    const running = await findRunning(dataDir);
    if (running?.ownerRuns) return running.record;
    if (!(await isExpected(dataDir))) return undefined;
    if (performance.now() > deadline) {
      throw new RedisUnavailableError('timeout', `the Redis of the service in ${dataDir} did not respond in time`, {
        advice: 'Try again. If the error persists, restart the service.',
      });
    }
    await sleep(RETRY_MS);
  }
}

function stillRunning({ pid }: RunningRecord): RedisUnavailableError {
  return new RedisUnavailableError('start_failed', `another redis (process ${pid}) still uses the data folder`, {
    advice: `Stop it (kill ${pid}) and try again, or set DATA_DIR to another folder.`,
  });
}

async function isRunning(pid: number | undefined): Promise<boolean> {
  if (pid === undefined || !exists(pid)) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !stat.includes(') Z ');
}

/** Its process id may by now be another program's, and in containers an ended process may stay listed. Only Linux tells. */
async function isRedisRunning({ pid, port }: RunningRecord): Promise<boolean> {
  if (!exists(pid)) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return commandLine === undefined || commandLine.split(/[\0 ]/).some((word) => word.split(':').at(-1) === `${port}`);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

/** What was started last on `dataDir`, whether or not it still runs; undefined after a stop. */
export async function readRecord(dataDir: string): Promise<RunningRecord | undefined> {
  return parseStored(RunningRecord, readOwnFile(dataDir, RECORD_FILE));
}

/** How the Redis of `dataDir` is reached now. Synchronous, for connections that are about to come back. */
export function currentLogin(dataDir: string): OwnLogin | undefined {
  return parseStored(RunningRecord, readOwnFile(dataDir, RECORD_FILE));
}

/** How the Redis of `dataDir` was reached last, and where the connections to it look for it. */
export async function lastLogin(dataDir: string): Promise<OwnLogin | undefined> {
  return parseStored(StoppedRecord, readOwnFile(dataDir, RECORD_FILE));
}

/** Makes a started Redis known to the processes that use the same folder. */
export async function writeRecord(dataDir: string, record: RunningRecord | OwnLogin): Promise<void> {
  // It may have been replaced by another user's while Redis started.
  await refuseOthers(dataDir);
  await replaceFile(join(dataDir, RECORD_FILE), JSON.stringify(record));
  // For other programs of this user, such as plain BullMQ clients.
  await replaceFile(urlPath(dataDir), `${ownUrl(record)}\n`);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, text, { mode: 0o600, flag: 'wx' });
  await rename(unfinished, path);
}

/** The file that holds the address of the Redis of `dataDir`, with its password. */
const urlPath = (dataDir: string): string => join(dataDir, 'redis-url');

/** Held by the one process that starts or stops a Redis on `dataDir`. */
export const lockPath = (dataDir: string): string => join(dataDir, 'redis.lock');

const RECORD_FILE = 'redis.json';

/** Which Redis answers on a port: its process id, and the random id of its start. */
interface ServerIdentity {
  readonly pid: number;
  readonly runId: string;
}

/**
 * Asks a Redis of ours who it is; undefined if none answers, it is still loading, has another password, or is no Redis.
 * One connection, one attempt.
 */
export async function askServerIdentity(login: OwnLogin): Promise<ServerIdentity | undefined> {
  const target = { kind: 'url', url: ownUrl(login) } as const;
  let client: RedisClient | undefined;
  try {
    client = await connectRedis(target, 'probe', { timeoutMs: SECOND_MS });
    await client.ping();
    return parseIdentity(await client.info('server'));
  } catch {
    return undefined;
  } finally {
    if (client) await closeRedis(client);
  }
}

function parseIdentity(info: string): ServerIdentity | undefined {
  const field = parseInfo(info);
  const [pid, runId] = [Number(field('process_id')), field('run_id')];
  return pid > 0 && runId !== '' ? { pid, runId } : undefined;
}
