import { randomBytes } from 'node:crypto';
import type { SettingProblem } from './config-error.ts';
import { type SettingName, SettingsTable } from './settings-table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting also exists with it, for processes in which other programs use the plain names. */
const PREFIX = 'TIKTOK_PUBLISHER_';
const KEY_BYTES = 32;
const NAMES: readonly SettingName[] = SettingsTable.keyof().options;

/** Which settings a part of the program uses; it never looks at the others. */
export interface UsedSettings {
  readonly names: readonly SettingName[];
  /** These only with the prefix: the plain ones belong to the app around. */
  readonly onlyPrefixed?: readonly SettingName[];
}

/** A setting as it was given. */
interface GivenSetting {
  readonly text: string;
  /** The variable that it came from, with or without the prefix. */
  readonly variable: string;
}

/** The settings that are set. An empty variable is not set; blanks around a value are ignored. */
export function givenSettings(
  env: Environment,
  { names, onlyPrefixed = [] }: UsedSettings = { names: NAMES },
): ReadonlyMap<SettingName, GivenSetting> {
  const hasOwnRedis = CHOOSE_REDIS.some((name) => prefixed(env, name) !== undefined);
  return new Map(
    NAMES.flatMap((name): [SettingName, GivenSetting][] => {
      const isUsed = names.includes(name);
      const withPrefix = isUsed || onlyPrefixed.includes(name) ? prefixed(env, name) : undefined;
      const isPlainRead = isUsed && !(hasOwnRedis && REDIS_ADDRESS.includes(name));
      const given = withPrefix ?? (isPlainRead ? plain(env, name) : undefined);
      return given === undefined ? [] : [[name, given]];
    }),
  );
}

/** The text of one setting, if it is set. */
export function settingIn(env: Environment, name: SettingName): string | undefined {
  return (prefixed(env, name) ?? plain(env, name))?.text;
}

/** An environment in which settings have these values, whatever it says of them; an empty one is not set. */
export function withSettings(env: Environment, settings: Partial<Record<SettingName, string>>): Environment {
  const isOtherRedis = CHOOSE_REDIS.some((name) => settings[name] !== undefined);
  const replaced = [...Object.keys(settings), ...(isOtherRedis ? REDIS_ADDRESS : [])];
  const unset = Object.fromEntries(replaced.flatMap((name) => [name, PREFIX + name]).map((name) => [name, undefined]));
  return { ...env, ...unset, ...settings };
}

/** Settings for a simulated TikTok, with media from anywhere and a key of their own for its tokens. */
export function trialSettings(tiktok: {
  readonly url: string;
  readonly clientKey: string;
  readonly clientSecret: string;
}) {
  return {
    ENCRYPTION_KEYS: randomBytes(KEY_BYTES).toString('base64'),
    MEDIA_ROOTS: '',
    TIKTOK_API_BASE_URL: tiktok.url,
    TIKTOK_CLIENT_KEY: tiktok.clientKey,
    TIKTOK_CLIENT_SECRET: tiktok.clientSecret,
  };
}

/** Variables that have the prefix and are no setting, each with the name that was probably meant. */
export function misspelledSettings(env: Environment): SettingProblem[] {
  return Object.entries(env).flatMap(([variable, text = '']) => {
    const name = variable.slice(PREFIX.length);
    const isKnown = (NAMES as readonly string[]).includes(name);
    if (!variable.startsWith(PREFIX) || isKnown || text.trim() === '' || isServiceLink(variable, text)) return [];
    const nearest = nearestName(name, NAMES);
    const fix = nearest === undefined ? 'remove it' : `did you mean ${PREFIX}${nearest}?`;
    return [{ variable, message: `is not a setting of tiktok-publisher: ${fix}` }];
  });
}

const CHOOSE_REDIS: readonly SettingName[] = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'];
/** Together they are one address: whoever sets one of them with the prefix means no other Redis. */
const REDIS_ADDRESS: readonly SettingName[] = [
  ...CHOOSE_REDIS,
  ...(['REDIS_SENTINEL_NAME', 'REDIS_USERNAME', 'REDIS_PASSWORD', 'REDIS_SENTINEL_PASSWORD', 'REDIS_TLS'] as const),
  ...(['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE', 'REDIS_TLS_INSECURE'] as const),
];

function prefixed(env: Environment, name: SettingName): GivenSetting | undefined {
  const given = givenAs(env, PREFIX + name);
  return given !== undefined && isServiceLink(given.variable, given.text) ? undefined : given;
}

function plain(env: Environment, name: SettingName): GivenSetting | undefined {
  // The names that all programs have for it, which curl and others read in lower case first.
  const lowerCase = name.endsWith('_PROXY') ? givenAs(env, name.toLowerCase()) : undefined;
  return lowerCase ?? givenAs(env, name);
}

function givenAs(env: Environment, variable: string): GivenSetting | undefined {
  const text = env[variable]?.trim();
  return text ? { text, variable } : undefined;
}

/**
 * Whether Kubernetes set this for a Service whose name begins with `tiktok-publisher`, as it does in every pod beside
 * it (kubernetes.io/docs/tutorials/services/connect-applications-service, "Environment Variables", read 2026-11-29).
 */
function isServiceLink(variable: string, text: string): boolean {
  if (/_SERVICE_(HOST|PORT(_\w{1,99})?)$|_PORT_\d{1,5}_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable))
    return true;
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text);
}

/** Fewer common letters than this make no suggestion, but a guess. */
const LEAST_LIKENESS = 0.4;

/** The name that was probably meant; undefined where none is like it. */
function nearestName<Name extends string>(wrong: string, names: readonly Name[]): Name | undefined {
  const word = wrong.toUpperCase();
  const [nearest] = names
    .map((name) => ({ name, likeness: 1 - editDistance(word, name) / Math.max(word.length, name.length) }))
    .filter(({ likeness }) => likeness >= LEAST_LIKENESS)
    .toSorted((one, other) => other.likeness - one.likeness);
  return nearest?.name;
}

/** Letters to insert, delete or replace (Levenshtein). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
