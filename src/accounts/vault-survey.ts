import { z } from 'zod';
import type { RotatingSealer } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { type AccountHash, type AccountSummary, decodeTokens, resealedFields, summarize } from './account-record.ts';
import { SET_FIELDS_LUA } from './vault-scripts.ts';

/** How one account's tokens lie in the vault. */
export interface AccountState {
  readonly account: string;
  /** Undefined: what is stored under the name is no account any more. */
  readonly summary: AccountSummary | undefined;
  /** `old_key`: readable, but sealed with another key than the first, or in an older form; `unreadable`: see `error`. */
  readonly tokens: 'current_key' | 'old_key' | 'unreadable';
  /** Why the tokens can't be read: `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED`. */
  readonly error: PublishError | undefined;
}

/** The result of encrypting all tokens again. */
export interface RekeyReport {
  /** Accounts whose tokens are sealed with the first key now. */
  readonly resealed: string[];
  /** How many had it already. */
  readonly currentCount: number;
  readonly unreadable: { readonly account: string; readonly code: string; readonly message: string }[];
}

interface SurveyDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly sealer: RotatingSealer;
  /** Our app; where it is not told, no account counts as another app's. */
  readonly clientKey?: string | undefined;
}

const BATCH_SIZE = 200;
/** Each one lost means that somebody has just stored other tokens. */
const RESEAL_TRIES = 20;

/** Looks at every account, oldest first, and opens its tokens; those that can't be opened don't end it. */
export async function* surveyAccounts(deps: SurveyDeps): AsyncGenerator<AccountState> {
  const { redis, keys } = deps;
  for await (const names of readNames(redis, keys)) {
    for (const [account, hash] of await readHashes(redis, keys, names)) {
      const wasRemoved = hash.version === undefined && (await redis.zscore(keys.accounts, account)) === null;
      if (!wasRemoved) yield await stateOf(account, hash, deps);
    }
  }
}

/**
 * Seals all tokens with the first key, so that older keys can be dropped. Safe while workers run, if they have the
 * first key too: one that has not yet goes on sealing with its own.
 */
export async function rekeyAccounts(deps: SurveyDeps): Promise<RekeyReport> {
  const report: RekeyReport & { currentCount: number } = { resealed: [], currentCount: 0, unreadable: [] };
  for await (const { account, tokens, error } of surveyAccounts(deps)) {
    if (error !== undefined) report.unreadable.push({ account, code: error.code, message: error.message });
    else if (tokens === 'current_key') report.currentCount += 1;
    else if (await reseal(account, deps)) report.resealed.push(account);
  }
  return report;
}

/** @returns false if the account is gone */
async function reseal(account: string, { redis, keys, sealer }: SurveyDeps): Promise<boolean> {
  const setFields = prepareScript(redis, SET_FIELDS_LUA);
  for (let tries = 0; tries < RESEAL_TRIES; tries++) {
    const hash: AccountHash = await redis.hgetall(keys.account(account));
    if (hash.version === undefined) return false;
    const fields = await resealedFields(account, hash, sealer);
    if (fields.length === 0) return true;
    if ((await setFields([keys.account(account)], [hash.version, ...fields])) === 1) return true;
  }
  throw new PublishError('INTERNAL_ERROR', {
    reason: `the tokens of "${account}" changed during every attempt to re-encrypt them`,
  });
}

async function* readNames(redis: RedisClient, keys: Keys): AsyncGenerator<string[]> {
  const names = await redis.zrange(keys.accounts, '0', '-1');
  for (let start = 0; start < names.length; start += BATCH_SIZE) yield names.slice(start, start + BATCH_SIZE);
}

const hashSchema = z.record(z.string(), z.string());

async function readHashes(redis: RedisClient, keys: Keys, names: readonly string[]): Promise<[string, AccountHash][]> {
  const pipeline = redis.pipeline();
  for (const name of names) pipeline.hgetall(keys.account(name));
  const answers = (await pipeline.exec()) ?? [];
  return names.map((name, index) => {
    const [error, hash] = answers[index] ?? [];
    if (error) throw error;
    return [name, hashSchema.parse(hash)];
  });
}

async function stateOf(account: string, hash: AccountHash, { sealer, clientKey }: SurveyDeps): Promise<AccountState> {
  const summary = summarize(account, hash, clientKey);
  try {
    if (summary === undefined || (await decodeTokens(account, hash, sealer)) === undefined) {
      const reason = `the stored data of account "${account}" is incomplete`;
      return { account, summary, tokens: 'unreadable', error: new PublishError('INTERNAL_TAMPERED', { reason }) };
    }
    const isOld = (await resealedFields(account, hash, sealer)).length > 0;
    return { account, summary, tokens: isOld ? 'old_key' : 'current_key', error: undefined };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { account, summary, tokens: 'unreadable', error };
  }
}
