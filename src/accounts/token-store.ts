import type { Clock, RotatingSealer } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { encodeEvent, UNKNOWN_PART } from '../core/publish-event.ts';
import { type Confirmation, NO_CONFIRMATION } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import type { TokenInput } from './account-input.ts';
import { decodeTokens, encodeTokens, resealedFields, type StoredTokens, sealContext } from './account-record.ts';
import { MARK_REAUTHORIZATION_LUA, SAVE_TOKENS_LUA, SET_FIELDS_LUA } from './vault-scripts.ts';

export interface VaultDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly sealer: RotatingSealer;
  readonly clock?: Clock | undefined;
  /** Proves that writes survive a failover; nothing is proven by default. */
  readonly confirmation?: Confirmation | undefined;
  /** Our app, which tokens are stored for; where it is not told, what is stored does not say. */
  readonly clientKey?: string | undefined;
}

/** What tells one state of an account from another. */
const CONFIRMED_FIELDS = ['openId', 'version', 'fallbackRefreshToken', 'pausedAt'] as const;

const ANY_VERSION = '';
const ANY_TIME = Number.MAX_SAFE_INTEGER;

/** Sealed tokens at rest: the part of the vault that only the token source and the OAuth side may touch. */
export function createTokenStore({
  redis,
  keys,
  sealer,
  clock = Date,
  confirmation = NO_CONFIRMATION,
  clientKey: ourClientKey,
}: VaultDeps) {
  const runSave = prepareScript(redis, SAVE_TOKENS_LUA);
  const runMark = prepareScript(redis, MARK_REAUTHORIZATION_LUA);
  const runSetFields = prepareScript(redis, SET_FIELDS_LUA);

  async function setFields(name: string, version: string, fields: readonly (string | number)[]): Promise<boolean> {
    return (await runSetFields([keys.account(name)], [version, ...fields])) === 1;
  }

  return {
    /**
     * The tokens in the clear.
     * @throws PublishError `INPUT_ACCOUNT_UNKNOWN`, `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED`
     */
    async loadTokens(nameOrOpenId: string): Promise<StoredTokens> {
      const found = await redis.hgetall(keys.account(nameOrOpenId));
      const { aliasOf } = found;
      const account = aliasOf ?? nameOrOpenId;
      const hash = aliasOf === undefined ? found : await redis.hgetall(keys.account(aliasOf));
      const tokens = await decodeTokens(account, hash, sealer);
      if (tokens === undefined) throw accountUnknown(nameOrOpenId);
      const resealed = await resealedFields(account, hash, sealer);
      if (resealed.length > 0) await setFields(account, tokens.version, resealed);
      return tokens;
    },

    /**
     * Stores refreshed tokens unless newer ones were stored since, so that a refresher that froze overwrites nothing.
     * @param options `grantedAt`: when their lifetimes began (ms since the epoch); by default now. `clientKey`: the app they
     * were granted to; by default ours
     * @returns false if it was too late
     */
    async saveTokens(
      name: string,
      grant: TokenInput,
      options: { expectedVersion: string; grantedAt?: number | undefined; clientKey?: string | undefined },
    ): Promise<boolean> {
      const { expectedVersion, grantedAt = clock.now(), clientKey = ourClientKey } = options;
      const fields = await encodeTokens({ account: name, tokens: grant, grantedAt, clientKey }, sealer);
      return (await runSave([keys.account(name)], [expectedVersion, ...fields])) === 1;
    },

    /** Keeps a refresh token that lost a race, to be tried before the account is given up. */
    async saveFallbackRefreshToken(name: string, refreshToken: string): Promise<void> {
      const sealed = await sealer.seal(refreshToken, sealContext(name, 'fallbackRefreshToken'));
      await setFields(name, ANY_VERSION, ['fallbackRefreshToken', sealed]);
    },

    /**
     * Proves that an account survives a failover as it is stored now: before its refresh token is used up, and after.
     * @returns false when it went to a server that is no longer the master, or was changed meanwhile
     * @throws PublishError `REDIS_NOT_REPLICATED`
     */
    async confirmStored(name: string): Promise<boolean> {
      const key = keys.account(name);
      const values = await redis.hmget(key, ...CONFIRMED_FIELDS);
      const facts = CONFIRMED_FIELDS.map((field, index) => ({ key, field, is: values[index] ?? '' }));
      return (await confirmation.confirm(facts)) === 'confirmed';
    },

    /**
     * Notes that only the account's owner can help, and reports it as `account.reauthorization_required` on the events
     * stream in the same step. Later tokens clear it.
     * @param options `grantedBefore`: ms since the epoch; tokens granted then or later are none of those that are meant
     * @returns false if there is no such account, or it has other tokens than expected by now
     */
    async markReauthorizationRequired(
      name: string,
      options: { reason: string; expectedVersion?: string | undefined; grantedBefore?: number | undefined },
    ): Promise<boolean> {
      const { reason, expectedVersion = ANY_VERSION, grantedBefore = ANY_TIME } = options;
      const now = clock.now();
      const event = encodeEvent({
        id: `account-${UNKNOWN_PART}`,
        type: 'account.reauthorization_required',
        subject: name,
        at: now,
        data: { account: name, reason },
      });
      const args = [expectedVersion, now, reason, name, event, grantedBefore, UNKNOWN_PART];
      return (await runMark([keys.account(name), keys.events, keys.heldAccounts], args)) === 1;
    },
  };
}

/** The error for a name that no account has. */
export function accountUnknown(nameOrOpenId: string): PublishError {
  return new PublishError('INPUT_ACCOUNT_UNKNOWN', { reason: `no account is stored as "${nameOrOpenId}"` });
}
