import { createHash, randomBytes } from 'node:crypto';

/** How the programs of one user reach the Redis of their data folder. */
export interface OwnLogin {
  readonly port: number;
  /** Without one it was started by a version before passwords. */
  readonly password?: string | undefined;
}

/** What nobody needs here: these commands write files, run code, or hand the data to another server. */
const FORBIDDEN = [
  ...['-config', '+config|get', '-module', '-debug', '-acl', '-replicaof', '-slaveof', '-migrate', '-shutdown'],
];

/** A password that nobody guesses, in letters that need no escape in a URL. */
export function newPassword(): string {
  return randomBytes(32).toString('hex');
}

/** The address of a Redis of ours. It is a secret, since it holds the password. */
export function ownUrl({ port, password }: OwnLogin): string {
  return password === undefined ? `redis://127.0.0.1:${port}` : `redis://:${password}@127.0.0.1:${port}`;
}

/**
 * Arguments by which Redis lets in whoever knows the password, for what we need. Everybody on the machine sees arguments, so
 * they hold its digest, from which a password of 256 random bits cannot be found.
 */
export function accessArguments(password: string): string[] {
  const digest = createHash('sha256').update(password).digest('hex');
  return ['--user', 'default', 'on', `#${digest}`, '~*', '&*', '+@all', ...FORBIDDEN];
}
