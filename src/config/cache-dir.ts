import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Folder for files that can be made again, such as an unpacked Redis. */
export function cacheDirFrom(settings: { readonly XDG_CACHE_HOME?: string | undefined }): string {
  return join(resolve(settings.XDG_CACHE_HOME || join(homedir(), '.cache')), 'tiktok-publisher');
}
