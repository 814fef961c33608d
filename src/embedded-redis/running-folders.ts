import { lstat, mkdir, readdir, readlink, realpath, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { distrustOf } from '../core/file-trust.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { isServed } from './running-redis.ts';

/**
 * Notes in the cache folder that a Redis of ours runs in `dataDir`, so that a command in another folder can name it. Only a
 * hint: missing where the cache folder cannot be written or is open to other users, and checked before it is believed.
 */
export async function noteFolder(cacheDir: string, dataDir: string): Promise<void> {
  const name = sha256Hex(dataDir).slice(0, 32);
  await mkdir(join(cacheDir, NOTES), { recursive: true, mode: 0o700 })
    .then(() => ownNotes(cacheDir))
    .then((notes) => symlink(dataDir, join(notes, name)))
    .catch(() => undefined);
}

/** The noted data folders whose Redis runs, in order. Other notes are removed. */
export async function runningFolders(cacheDir: string): Promise<string[]> {
  try {
    const notes = await ownNotes(cacheDir);
    const folders = await Promise.all((await readdir(notes)).map((name) => runningFolder(join(notes, name))));
    return folders.flatMap((folder) => folder ?? []).sort();
  } catch {
    return [];
  }
}

async function runningFolder(path: string): Promise<string | undefined> {
  if (!(await lstat(path)).isSymbolicLink()) return undefined;
  if (await isServed(path)) return await readlink(path);
  await rm(path, { force: true });
  return undefined;
}

const NOTES = 'running';

/** The folder of notes. @throws Error if another user could have put it, or what lies in it, there */
async function ownNotes(cacheDir: string): Promise<string> {
  const notes = join(await realpath(cacheDir), NOTES);
  const user = process.getuid?.();
  const [outer, inner] = await Promise.all([stat(cacheDir), lstat(notes)]);
  const distrust = distrustOf(outer, user) ?? distrustOf(inner, user);
  if (distrust !== undefined || !inner.isDirectory()) throw new Error(`${notes} ${distrust ?? 'is no folder'}`);
  return notes;
}
