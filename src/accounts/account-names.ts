import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Tells an account's own name, so that jobs that go by its open_id share its lane and its quotas. */
export interface AccountNames {
  /** A name that no account of the vault has is given back as it is: the tokens may come from elsewhere. */
  resolve(nameOrOpenId: string): Promise<string>;
}

/** Looks names up in the vault. */
export function createAccountNames({ redis, keys }: { redis: RedisClient; keys: Keys }): AccountNames {
  return {
    resolve: async (nameOrOpenId) => (await redis.hget(keys.account(nameOrOpenId), 'aliasOf')) ?? nameOrOpenId,
  };
}
