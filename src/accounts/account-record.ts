import { randomUUID } from 'node:crypto';
import type { RotatingSealer, Sealer } from '../core/ports.ts';
import { refreshDueAt } from '../core/refresh-schedule.ts';
import { SECOND_MS } from '../core/units.ts';
import type { TokenInput } from './account-input.ts';
import { clientKeyHint, isOtherApp } from './client-key.ts';

/** What anyone may know of an account. Times are ISO 8601; null is unknown. */
export interface AccountSummary {
  /** Its name in publish requests. */
  readonly account: string;
  /** TikTok's id of the user for the app. */
  readonly openId: string;
  /** Comma-separated list of the granted scopes. */
  readonly scope: string | null;
  /** When it was first connected. */
  readonly addedAt: string;
  /** When the access token expires; it is refreshed before. */
  readonly accessTokenExpiresAt: string | null;
  /** When the refresh token expires; then the owner must connect the account again. */
  readonly refreshTokenExpiresAt: string | null;
  /** `paused`: its jobs wait until `resume`; `reauthorization_required`: they wait until the owner connects it again. */
  readonly status: 'active' | 'reauthorization_required' | 'paused';
  /** The error for which a worker paused it; null: it is not paused, or a person did. */
  readonly pauseCode: string | null;
  /** The beginning of the client key of the app that the tokens were stored for. */
  readonly clientKey: string | null;
  /** Whether that is another app than ours, so that TikTok renews these tokens no more. */
  readonly otherApp: boolean;
}

/** An account's tokens in the clear: for the token source alone. */
export interface StoredTokens {
  readonly account: string;
  readonly openId: string;
  /** Random, and another one with every set of tokens. */
  readonly version: string;
  readonly accessToken: string;
  /** Ms since the epoch; undefined: unknown. */
  readonly accessTokenExpiresAt: number | undefined;
  /** When another one should be fetched, though it still works: the same in every process. Ms since the epoch. */
  readonly refreshDueAt: number | undefined;
  /** The app that the tokens were stored for; undefined: not known. */
  readonly clientKey: string | undefined;
  /** What a refresh may be tried with, the likeliest first. */
  readonly refreshTokens: readonly string[];
  /** Why only the account's owner can help; undefined: the tokens are thought to work. */
  readonly reauthorizationReason: string | undefined;
}

/** Fields of the hash that say nothing secret. */
export const SUMMARY_FIELDS = [
  'openId',
  'scope',
  'addedAt',
  'accessTokenExpiresAt',
  'refreshTokenExpiresAt',
  'reauthorizationReason',
  'pausedAt',
  'pauseCode',
  'clientKey',
] as const;

/** Fields of the hash that hold sealed tokens, and what each is sealed for. */
const SEALED_FIELDS = { accessToken: 'access', refreshToken: 'refresh', fallbackRefreshToken: 'refresh' } as const;
type SealedField = keyof typeof SEALED_FIELDS;
const SEALED_FIELD_NAMES = ['accessToken', 'refreshToken', 'fallbackRefreshToken'] as const satisfies SealedField[];

export type AccountHash = Readonly<Record<string, string | undefined>>;

/** The context that binds a sealed token to its account and purpose. */
export function sealContext(account: string, field: SealedField): string {
  return `account:${account}:${SEALED_FIELDS[field]}`;
}

/** A new set of tokens, and what is known of their grant. */
export interface GrantedTokens {
  readonly account: string;
  readonly tokens: TokenInput;
  /** When their lifetimes began (ms since the epoch). */
  readonly grantedAt: number;
  readonly clientKey: string | undefined;
}

/** The hash fields of a new set of tokens, sealed, under a fresh version. */
export async function encodeTokens(
  { account, tokens, grantedAt, clientKey }: GrantedTokens,
  sealer: RotatingSealer,
): Promise<string[]> {
  const { refreshToken } = tokens;
  const fields = {
    version: randomUUID(),
    grantedAt,
    clientKey,
    accessToken: await sealer.seal(tokens.accessToken, sealContext(account, 'accessToken')),
    accessTokenExpiresAt: expiryAt(tokens.expiresInSeconds, grantedAt),
    ...(refreshToken !== undefined && {
      refreshToken: await sealer.seal(refreshToken, sealContext(account, 'refreshToken')),
      refreshTokenExpiresAt: expiryAt(tokens.refreshExpiresInSeconds, grantedAt),
    }),
    scope: tokens.scope,
  };
  return Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field, String(value)]));
}

/**
 * Opens the tokens of an account's hash.
 * @returns undefined for a hash that is no account
 * @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED`
 */
export async function decodeTokens(
  account: string,
  hash: AccountHash,
  sealer: RotatingSealer,
): Promise<StoredTokens | undefined> {
  const { openId, version } = hash;
  const accessToken = await openField(account, hash, 'accessToken', sealer);
  if (openId === undefined || version === undefined || accessToken === undefined) return undefined;
  const refreshToken = await openField(account, hash, 'refreshToken', sealer);
  const fallback = await openField(account, hash, 'fallbackRefreshToken', sealer);
  const expiresAt = parseAt(hash.accessTokenExpiresAt);
  return {
    account,
    openId,
    version,
    accessToken,
    accessTokenExpiresAt: expiresAt,
    refreshDueAt:
      expiresAt === undefined
        ? undefined
        : refreshDueAt({ grantedAt: parseAt(hash.grantedAt), expiresAt }, randomOf(version)),
    clientKey: hash.clientKey,
    refreshTokens: [...new Set([refreshToken, fallback])].filter((token) => token !== undefined),
    reauthorizationReason: hash.reauthorizationReason,
  };
}

/** What an older key or an older form has sealed, sealed again, as hash fields: so that the older key can be dropped some day. */
export async function resealedFields(account: string, hash: AccountHash, sealer: RotatingSealer): Promise<string[]> {
  const resealed: string[] = [];
  for (const field of SEALED_FIELD_NAMES) {
    const sealed = hash[field];
    const plaintext = await openField(account, hash, field, sealer);
    if (sealed === undefined || plaintext === undefined || !(await sealer.needsReseal(sealed))) continue;
    resealed.push(field, await sealer.seal(plaintext, sealContext(account, field)));
  }
  return resealed;
}

async function openField(account: string, hash: AccountHash, field: SealedField, sealer: Sealer) {
  const sealed = hash[field];
  return sealed === undefined ? undefined : await sealer.open(sealed, sealContext(account, field));
}

/**
 * The summary of an account's hash.
 * @param ourClientKey undefined: not known, so no app counts as another
 * @returns undefined for a hash that is no account
 */
export function summarize(
  account: string,
  hash: AccountHash,
  ourClientKey: string | undefined,
): AccountSummary | undefined {
  const { openId, clientKey } = hash;
  const addedAt = toIso(hash.addedAt);
  if (openId === undefined || addedAt === null) return undefined;
  return {
    account,
    openId,
    scope: hash.scope ?? null,
    addedAt,
    accessTokenExpiresAt: toIso(hash.accessTokenExpiresAt),
    refreshTokenExpiresAt: toIso(hash.refreshTokenExpiresAt),
    status: statusOf(hash),
    pauseCode: hash.pauseCode ?? null,
    clientKey: clientKey === undefined ? null : clientKeyHint(clientKey),
    otherApp: isOtherApp(clientKey, ourClientKey),
  };
}

function statusOf(hash: AccountHash): AccountSummary['status'] {
  if (hash.reauthorizationReason !== undefined) return 'reauthorization_required';
  return hash.pausedAt === undefined ? 'active' : 'paused';
}

function expiryAt(lifetimeSeconds: number | undefined, now: number): number | undefined {
  return lifetimeSeconds === undefined ? undefined : now + lifetimeSeconds * SECOND_MS;
}

function parseAt(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function toIso(text: string | undefined): string | null {
  const date = new Date(Number(text));
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** A number from 0 to 1 that was drawn with the version: its first 32 bits, which are random in a UUID (RFC 9562, 5.4). */
function randomOf(version: string): number {
  const drawn = Number.parseInt(version.slice(0, 8), 16);
  return Number.isNaN(drawn) ? 0 : drawn / 2 ** 32;
}
