import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../core/request-digest.ts';
import { isServed } from './running-redis.ts';

/**
 * Notes in the cache folder that a Redis of ours runs in `dataDir`, so that a command in another folder can name it. Only a
 * hint: missing where the cache folder cannot be written, and checked before it is believed.
 */
export async function noteFolder(cacheDir: string, dataDir: string): Promise<void> {
  const path = join(notesIn(cacheDir), sha256Hex(dataDir).slice(0, 32));
  await mkdir(notesIn(cacheDir), { recursive: true })
    .then(() => symlink(dataDir, path))
    .catch(() => undefined);
}

/** The noted data folders whose Redis runs, in order. Notes of others are removed. */
export async function runningFolders(cacheDir: string): Promise<string[]> {
  const names = await readdir(notesIn(cacheDir)).catch((): string[] => []);
  const folders = await Promise.all(names.map((name) => runningFolder(join(notesIn(cacheDir), name))));
  return folders.flatMap((folder) => folder ?? []).sort();
}

async function runningFolder(path: string): Promise<string | undefined> {
  if (await isServed(path)) return await readlink(path).catch(() => undefined);
  await rm(path, { force: true }).catch(() => undefined);
  return undefined;
}

const notesIn = (cacheDir: string): string => join(cacheDir, 'running');
