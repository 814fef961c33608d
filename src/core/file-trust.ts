/** What the system says of a file or folder. */
export interface FileOwnership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const ROOT = 0;
const GROUP_WRITES = 0o020;
const ALL_WRITE = 0o002;

/**
 * Whose a file is, if neither this user's nor root's; undefined where all is well.
 * @param user id of the user of this process; undefined on Windows, which has no such owners
 */
export function foreignOwner({ uid }: Pick<FileOwnership, 'uid'>, user: number | undefined): string | undefined {
  return user === undefined || uid === user || uid === ROOT ? undefined : `belongs to another user (${uid})`;
}

/** Why settings in a file must not be believed: somebody else than this user or root may have written them. */
export function distrustOf(file: FileOwnership, user: number | undefined): string | undefined {
  if (user === undefined) return undefined;
  const { uid, gid, mode } = file;
  if ((mode & ALL_WRITE) !== 0) return foreignOwner(file, user) ?? 'can be changed by every user';
  // A group with the number of its user is that user's own, as many systems make it.
  const isOpen = (mode & GROUP_WRITES) !== 0 && gid !== uid;
  return foreignOwner(file, user) ?? (isOpen ? `can be changed by the group ${gid}` : undefined);
}

/** What to do about it. */
export const TRUST_FIX = 'If its content is yours, make it yours alone: chown it to this user, and chmod go-w';
