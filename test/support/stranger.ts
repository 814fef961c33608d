import { chmod, chown } from 'node:fs/promises';

const STRANGER = 54_321;

/** Makes a file or folder one that a stranger may have written: his own where tests run as root, else one that all may change. */
export async function giveToStranger(path: string): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, STRANGER, STRANGER);
  else await chmod(path, 0o666);
}

/** How that is said. */
export const STRANGERS = /belongs to another user \(54321\)|can be changed by every user/;
