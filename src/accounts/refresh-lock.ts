import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';

/** Takes the lock if it is free, or ours already because a lost reply made the client ask twice. */
const ACQUIRE_LUA = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Frees the lock if it is still ours. */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** Lets one process at a time refresh an account's tokens. An owner that dies or freezes loses it after `ttlMs`. */
export interface RefreshLock {
  /** @param owner a random text that no other caller uses. @returns false if somebody else holds it */
  acquire(account: string, owner: string): Promise<boolean>;
  release(account: string, owner: string): Promise<void>;
}

/** Creates the locks on a Redis. */
export function createRefreshLock(deps: { redis: RedisClient; keys: Keys; ttlMs: number }): RefreshLock {
  const { redis, keys, ttlMs } = deps;
  const runAcquire = prepareScript(redis, ACQUIRE_LUA);
  const runRelease = prepareScript(redis, RELEASE_LUA);
  return {
    acquire: async (account, owner) => (await runAcquire([keys.accountRefreshLock(account)], [owner, ttlMs])) === 1,
    release: async (account, owner) => {
      await runRelease([keys.accountRefreshLock(account)], [owner]);
    },
  };
}
