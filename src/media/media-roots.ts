import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { PublishError } from '../core/publish-error.ts';

/**
 * Refuses a path outside of the folders that media may live under. Asked before a path is touched and, once its links are
 * resolved, after.
 * @param given the path as it was given, which alone is told: where its links lead is nobody's business
 * @throws PublishError `INPUT_MEDIA_OUTSIDE_ROOTS`
 */
export type RefuseOutside = (path: string, given?: string) => void;

/** Resolves the folders and their links; one that does not exist holds nothing. Without a list any path will do. */
export async function resolveMediaRoots(roots: readonly string[] | undefined): Promise<RefuseOutside> {
  if (roots === undefined) return () => undefined;
  const folders = await foldersOf(roots);
  return (path, given) => refuseUnlessIn(folders, path, given);
}

async function foldersOf(roots: readonly string[]): Promise<readonly string[]> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  return [...roots.map((root) => resolve(root)), ...real.filter((root) => root !== undefined)];
}

function refuseUnlessIn(folders: readonly string[], path: string, given = path): void {
  if (folders.some((folder) => isInside(folder, path))) return;
  const how = given === path ? '' : ', which leads out of them';
  const reason = `expected a file in one of the MEDIA_ROOTS folders, got ${given}${how}`;
  throw new PublishError('INPUT_MEDIA_OUTSIDE_ROOTS', { reason });
}

/**
 * Refuses a path that leads out of the folders, links resolved. One that leads nowhere on this machine passes if it would
 * lie inside: the worker that opens it looks again, perhaps on another machine.
 *
 * @param roots without any, every path is refused
 * @throws PublishError `INPUT_MEDIA_OUTSIDE_ROOTS`
 */
export async function refuseOutsideRoots(path: string, roots: readonly string[] | undefined): Promise<void> {
  if (roots === undefined) {
    const reason = 'REST can publish files only from MEDIA_ROOTS, which is not set';
    throw new PublishError('INPUT_MEDIA_OUTSIDE_ROOTS', { reason });
  }
  const folders = await foldersOf(roots);
  refuseUnlessIn(folders, path);
  // Of what is not there, the folder that is: else a link that leads out would tell what there is behind it.
  for (let at = path; folders.some((folder) => isInside(folder, at)); at = dirname(at)) {
    const realPath = await realpath(at).catch(() => undefined);
    if (realPath !== undefined) return refuseUnlessIn(folders, realPath, path);
  }
}

function isInside(folder: string, path: string): boolean {
  const steps = relative(folder, resolve(path));
  return steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
}
