import { randomUUID } from 'node:crypto';
import { mkdir, rename, rmdir, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../core/system-error.ts';
import { SECOND_MS } from '../core/units.ts';

const HEARTBEAT_MS = SECOND_MS;
/** A holder that missed this many milliseconds of heartbeats is dead: its lock may be taken over. */
const STALE_MS = 6 * SECOND_MS;
const RETRY_MS = 25;

interface LockOptions {
  /** How long to wait for another holder before giving up, in ms. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while holding the lock folder `path`, which at most one process at a time can hold.
 * A folder, because creating one is atomic on every file system; its age instead of a process id,
 * because ids mean nothing to another container that shares the disk.
 *
 * @throws Error when another process held the lock for longer than `waitMs`; the reason of `signal`
 */
export async function withFolderLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(path, options);
  const heartbeat = setInterval(() => void touch(path), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await removeLock(path);
  }
}

/** Whether some process holds the lock `path` now. */
export async function isLocked(path: string): Promise<boolean> {
  const age = await lockAge(path).catch(() => undefined);
  return age !== undefined && age <= STALE_MS;
}

async function acquire(path: string, { waitMs, signal }: LockOptions): Promise<void> {
  const deadline = performance.now() + waitMs;
  signal?.throwIfAborted();
  while (!(await tryCreate(path))) {
    signal?.throwIfAborted();
    const held = await lockAge(path);
    if (held !== undefined && held > STALE_MS) await takeAway(path);
    else if (performance.now() > deadline) throw new Error(`another process has locked ${path} for too long`);
    else await sleep(RETRY_MS);
  }
}

async function tryCreate(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

async function lockAge(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Moves a stale lock aside. Two processes may try: the one that moved a fresh lock instead puts it back. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  const age = await lockAge(aside);
  if (age !== undefined && age <= STALE_MS) await rename(aside, path);
  else await removeLock(aside);
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

async function removeLock(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
  });
}
