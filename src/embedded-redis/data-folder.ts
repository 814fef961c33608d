import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileOwnership, foreignOwner } from '../core/file-trust.ts';
import { isErrno } from '../core/system-error.ts';
import { RedisUnavailableError } from '../redis/redis-unavailable.ts';

/** Permissions of the group and of all others. */
const OTHERS_MODE = 0o077;

/**
 * Makes the data folder, for this user alone, where it is missing.
 * @returns its path without symbolic links
 * @throws RedisUnavailableError `data_dir`
 */
export async function prepareDataDir(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await refuseOthers(path);
    return await realpath(path);
  } catch (cause) {
    if (cause instanceof RedisUnavailableError) throw cause;
    throw new RedisUnavailableError('data_dir', `the data folder ${path} cannot be created`, {
      advice: 'Set DATA_DIR to a folder that this user can write to.',
      cause,
    });
  }
}

/**
 * Whoever can write into the folder could have us use his own Redis; whoever can read it knows the password of ours. A
 * stranger's link would have us work in another one of our folders.
 * @throws RedisUnavailableError `data_dir` where the folder is not this user's, or open to others; a missing one is neither
 */
export async function refuseOthers(dataDir: string): Promise<void> {
  const found = await unlessMissing(stat(dataDir));
  const link = await unlessMissing(lstat(dataDir));
  // There are no such owners and modes on Windows.
  const user = process.getuid?.();
  if (found === undefined || link === undefined || user === undefined) return;
  const foreign = strangerOf(found, link, user);
  if (foreign !== undefined) {
    throw new RedisUnavailableError('data_dir', `the data folder ${dataDir} ${foreign}`, {
      advice: 'Set DATA_DIR to a folder of your own. If the other user is you, too, change its owner.',
    });
  }
  if (isOpen(found)) {
    throw new RedisUnavailableError('data_dir', `the data folder ${dataDir} is open to other users`, {
      advice: `If all in it is yours, close it to them: chmod 700 ${dataDir}. Otherwise, set DATA_DIR to another folder.`,
    });
  }
}

/** Whose the folder is, or the link to it, if not this user's. */
function strangerOf(folder: FileOwnership, link: FileOwnership, user: number): string | undefined {
  return folder.uid === user ? foreignOwner(link, user) : `belongs to another user (${folder.uid})`;
}

const isOpen = ({ mode }: FileOwnership): boolean => (mode & OTHERS_MODE) !== 0;

/**
 * A file that we wrote into the data folder: '' where there is none, and where it, or now the folder, is another user's. Who
 * may rename the folder can put another one in its place while we run, and would have us go over to a Redis of his.
 */
export function readOwnFile(dataDir: string, name: string): string {
  const user = process.getuid?.();
  let file: number | undefined;
  try {
    const folder = statSync(dataDir);
    const isOurs =
      user === undefined || (strangerOf(folder, lstatSync(dataDir), user) === undefined && !isOpen(folder));
    if (!isOurs) return '';
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    file = openSync(join(dataDir, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return user === undefined || fstatSync(file).uid === user ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

async function unlessMissing<T>(look: Promise<T>): Promise<T | undefined> {
  return await look.catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
}
