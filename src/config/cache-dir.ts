import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folder for files that can be made again, such as an unpacked Redis; `XDG_CACHE_HOME` or else `~/.cache`. */
export function cacheDirFrom(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tiktok-publisher');
}
