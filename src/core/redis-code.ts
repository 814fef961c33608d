/**
 * Codes by which Redis says what is wrong. `MAXCLIENTS` is a name of ours for a wording without a code.
 */
const CODES = [
  'READONLY',
  'UNBLOCKED',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'NOREPLICAS',
  'OOM',
  'MISCONF',
  'NOPERM',
  'NOAUTH',
  'WRONGPASS',
  'NOSCRIPT',
] as const;

export type RedisCode = (typeof CODES)[number] | 'MAXCLIENTS';

/**
 * A code stands first, behind a colon, or behind a dash: Redis 6.2 answers for a script
 * `ERR Error running script (call to f_…): @user_script:1: @user_script: 1: -READONLY You can't write …`, and a
 * transaction ends with `EXECABORT Transaction discarded because of: OOM …`.
 */
const CODE_ANYWHERE = new RegExp(`(?:^-?|: -?|\\s-)(${CODES.join('|')})\\b`);

/** Wordings without a code, of every version from 5 on. */
const WORDINGS: readonly (readonly [RegExp, RedisCode])[] = [
  [/max number of clients (?:\+ cluster connections )?reached/i, 'MAXCLIENTS'],
  // Redis 6 says so when a script calls what its user may not, Redis 7.0 and newer add the code in some places only.
  [/The user executing the script can't (?:run this command|access at least one of the keys)/, 'NOPERM'],
  [/^ERR ACL failure in script|has no permissions to (?:run|access)/, 'NOPERM'],
  [/^ERR invalid password/, 'WRONGPASS'],
  [/Can not run script with write flag on readonly replica/, 'READONLY'],
];

/**
 * Redis's own code in what it answered, wherever the version puts it; undefined for any other error. Looks also into
 * the error of the node that a cluster tried last.
 */
export function redisCodeOf(error: unknown): RedisCode | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeIn(error.message) ?? redisCodeOf('lastNodeError' in error ? error.lastNodeError : undefined);
}

function codeIn(text: string): RedisCode | undefined {
  const found = CODE_ANYWHERE.exec(text)?.[1];
  return CODES.find((code) => code === found) ?? WORDINGS.find(([wording]) => wording.test(text))?.[1];
}
