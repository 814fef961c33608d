import { isLoopbackHost } from '../core/loopback-host.ts';
import { SETTING_DESCRIPTIONS, type SettingName } from './settings-table.ts';

/** Texts of the variables that are set. */
export type GivenSettings = ReadonlyMap<SettingName, string>;

export interface NamedProblem {
  readonly name: SettingName;
  readonly message: string;
}

/** What is wrong with settings that may each be valid but do not go together. */
export function findConflicts(
  given: GivenSettings,
  { sealsTokens, opensServer = false }: { readonly sealsTokens: boolean; readonly opensServer?: boolean },
): NamedProblem[] {
  return [
    ...redisConflicts(given),
    ...unusedTls(given),
    ...(sealsTokens ? missingKeys(given) : []),
    ...missingPartners(given),
    ...boardLogins(given),
    ...forgottenDuplicates(given),
    ...exposure(given, opensServer),
    ...tooManyStreams(given),
    ...otherPath(given),
  ];
}

const REDIS_KINDS = ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const satisfies readonly SettingName[];

function redisConflicts(given: GivenSettings): NamedProblem[] {
  const [chosen, ...others] = REDIS_KINDS.filter((name) => given.has(name));
  if (chosen === undefined) return [];
  return others.map((name) => ({ name, message: `is set together with ${chosen}; set only one of them` }));
}

const TLS_SETTINGS = [
  'REDIS_TLS_CA_FILE',
  'REDIS_TLS_CERT_FILE',
  'REDIS_TLS_KEY_FILE',
  'REDIS_TLS_INSECURE',
] as const satisfies readonly SettingName[];

/** A certificate for a connection that is not encrypted is a mistake that nobody would notice. */
function unusedTls(given: GivenSettings): NamedProblem[] {
  const url = given.get('REDIS_URL');
  const isEncrypted = url === undefined ? given.get('REDIS_TLS') === 'true' : /^rediss:/i.test(url);
  if (isEncrypted) return [];
  const cure = url === undefined ? 'set REDIS_TLS=true' : 'start REDIS_URL with rediss://';
  const message = `is set, but the connection to Redis is not encrypted: ${cure}, or remove it`;
  return TLS_SETTINGS.filter((name) => given.has(name)).map((name) => ({ name, message }));
}

function missingKeys(given: GivenSettings): NamedProblem[] {
  const chosen = REDIS_KINDS.find((name) => given.has(name));
  if (chosen === undefined || given.has('ENCRYPTION_KEYS')) return [];
  const message = `is required with ${chosen}, because all processes need the same keys; create a key with: openssl rand -base64 32`;
  return [{ name: 'ENCRYPTION_KEYS', message }];
}

const PARTNERS = [
  ['REDIS_SENTINELS', 'REDIS_SENTINEL_NAME'],
  ['REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'],
  ['TIKTOK_CLIENT_KEY', 'TIKTOK_CLIENT_SECRET'],
  ['BOARD_USER', 'BOARD_PASSWORD'],
  ['BOARD_READONLY_USER', 'BOARD_READONLY_PASSWORD'],
] as const satisfies readonly (readonly [SettingName, SettingName])[];

function missingPartners(given: GivenSettings): NamedProblem[] {
  return PARTNERS.flatMap(([first, second]) => {
    if (given.has(first) === given.has(second)) return [];
    const [present, missing] = given.has(first) ? [first, second] : [second, first];
    return [{ name: missing, message: `is not set, but ${present} is; set both or neither` }];
  });
}

function boardLogins(given: GivenSettings): NamedProblem[] {
  const viewer = given.get('BOARD_READONLY_USER');
  if (viewer === undefined) return [];
  if (!given.has('BOARD_USER')) {
    const message = 'is required with BOARD_READONLY_USER: without it, users on this machine need no login';
    return [{ name: 'BOARD_USER', message }];
  }
  if (viewer !== given.get('BOARD_USER')) return [];
  return [{ name: 'BOARD_READONLY_USER', message: 'is the same as BOARD_USER; use a different name' }];
}

/** A job that is no longer kept can't be compared with. Malformed numbers are named elsewhere. */
function forgottenDuplicates(given: GivenSettings): NamedProblem[] {
  const hours = given.get('DUPLICATE_WINDOW_HOURS');
  const { fallback } = SETTING_DESCRIPTIONS.find(({ variable }) => variable === 'RETENTION_DAYS') ?? {};
  const days = given.get('RETENTION_DAYS') ?? fallback;
  if (hours === undefined || !(Number(hours) > Number(days) * 24)) return [];
  const message = `is longer than the ${days} days of RETENTION_DAYS, after which jobs are deleted; use a shorter time, or increase RETENTION_DAYS`;
  return [{ name: 'DUPLICATE_WINDOW_HOURS', message }];
}

/** Links that we give to browsers must be those of the one address at which they reach us. */
function otherPath(given: GivenSettings): NamedProblem[] {
  const [path, url] = [given.get('BASE_PATH'), given.get('PUBLIC_BASE_URL')];
  const bare = (text: string) => text.replace(/^\/|\/$/g, '');
  if (path === undefined || url === undefined || !URL.canParse(url)) return [];
  if (bare(new URL(url).pathname) === bare(path)) return [];
  const message = `is ${path}, but PUBLIC_BASE_URL is ${url}; PUBLIC_BASE_URL must end with BASE_PATH`;
  return [{ name: 'BASE_PATH', message }];
}

/** Less can be guessed, or is a word. */
const LEAST_SECRET_CHARS = 12;
const LEAST_DIFFERENT_CHARS = 6;

/** What strangers reach must ask for a key and a login that nobody guesses. */
function exposure(given: GivenSettings, opensServer: boolean): NamedProblem[] {
  const reachedBy = exposingSetting(given, opensServer);
  if (reachedBy === undefined) return [];
  const { setting, needsLogin } = reachedBy;
  const missing: NamedProblem[] = [];
  if (!given.has('API_KEYS')) {
    const message = `is required with ${setting}, because without it anyone who reaches the server can publish; create a key with: openssl rand -hex 32`;
    missing.push({ name: 'API_KEYS', message });
  }
  if (needsLogin && !given.has('BOARD_USER')) {
    const message = `is required with ${setting}, because without it anyone who reaches the server through a proxy can see the board`;
    missing.push({ name: 'BOARD_USER', message });
  }
  return [...missing, ...weakSecrets(given, setting)];
}

/** Only who has a proxy in front sets them. */
const SETTINGS_OF_PROXIES = ['TRUSTED_PROXIES', 'BASE_PATH'] as const;

function exposingSetting(given: GivenSettings, opensServer: boolean) {
  const [host, url] = [given.get('HOST'), given.get('PUBLIC_BASE_URL')];
  // Without a login the board is then served to nobody.
  if (host !== undefined && !isLoopbackHost(host)) return { setting: `HOST=${host}`, needsLogin: false };
  if (!opensServer) return undefined;
  // A proxy on this machine passes the world on, and may not say so.
  const isBeyond = url !== undefined && URL.canParse(url) && !isLoopbackHost(new URL(url).hostname);
  const setting = isBeyond ? 'PUBLIC_BASE_URL' : SETTINGS_OF_PROXIES.find((name) => given.has(name));
  return setting === undefined ? undefined : { setting: `${setting}=${given.get(setting)}`, needsLogin: true };
}

function weakSecrets(given: GivenSettings, setting: string): NamedProblem[] {
  const names = ['API_KEYS', 'BOARD_PASSWORD', 'BOARD_READONLY_PASSWORD'] as const;
  return names.flatMap((name) => {
    const text = given.get(name);
    if (text === undefined || (name === 'API_KEYS' ? text.split(',') : [text]).every(isHardToGuess)) return [];
    const message = `can be guessed, and is all that protects the server with ${setting}; use at least ${LEAST_SECRET_CHARS} random characters for each, such as from: openssl rand -hex 32`;
    return [{ name, message }];
  });
}

function isHardToGuess(secret: string): boolean {
  const chars = secret.trim();
  // A list may end with a comma.
  if (chars === '') return true;
  return chars.length >= LEAST_SECRET_CHARS && new Set(chars).size >= LEAST_DIFFERENT_CHARS;
}

/** Streams that fill all connections would shut out everything else. */
function tooManyStreams(given: GivenSettings): NamedProblem[] {
  const numberOf = (name: 'MAX_EVENT_STREAMS' | 'MAX_CONNECTIONS') =>
    Number(given.get(name) ?? SETTING_DESCRIPTIONS.find(({ variable }) => variable === name)?.fallback);
  const [streams, connections] = [numberOf('MAX_EVENT_STREAMS'), numberOf('MAX_CONNECTIONS')];
  if (!(streams >= connections)) return [];
  const message = `is ${streams}, but MAX_CONNECTIONS is ${connections}; it must be lower, so that other requests get through`;
  return [{ name: 'MAX_EVENT_STREAMS', message }];
}
