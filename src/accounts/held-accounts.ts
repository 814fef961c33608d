import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { HOLD_FIELDS_LUA } from './account-hold.ts';

/** Accounts of one call of a script: about a millisecond, in which Redis does nothing else. */
const PAGE = 1_000;

const IS_HELD = `
local function isHeld(account)
  local seen = redis.call('HMGET', account, ${HOLD_FIELDS_LUA})
  return seen[1] or seen[2]
end
`;

/** KEYS: held accounts, how the keys of accounts and of delays begin; ARGV: accounts. Forgets those that nothing holds. */
const FORGET_LUA = `${IS_HELD}
for _, name in ipairs(ARGV) do
  if not isHeld(KEYS[2] .. name) and redis.call('EXISTS', KEYS[3] .. name) == 0 then redis.call('ZREM', KEYS[1], name) end
end
`;

/** KEYS: held accounts, all accounts, how the keys of accounts begin; ARGV: first and last rank. Answers how many there are. */
const NOTE_LUA = `${IS_HELD}
local names = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'WITHSCORES')
for place = 1, #names, 2 do
  if isHeld(KEYS[3] .. names[place]) then redis.call('ZADD', KEYS[1], 'NX', names[place + 1], names[place]) end
end
return #names / 2
`;

/**
 * The accounts whose jobs may all wait: paused, to be connected again, or delayed by a limit. Whatever holds an account
 * notes it here in the same step; what lets it go on need not, since readers check, and then forget it. So it costs nothing to
 * have many accounts that nothing holds.
 */
export function createHeldAccounts({ redis, keys }: { readonly redis: RedisClient; readonly keys: Keys }) {
  const runForget = prepareScript(redis, FORGET_LUA);
  const runNote = prepareScript(redis, NOTE_LUA);
  return {
    /** Each account that is held, and some that were. */
    names: async (): Promise<string[]> => await redis.zrange(keys.heldAccounts, '0', '-1'),

    /** Forgets those of these accounts that nothing holds any more. */
    async forget(names: readonly string[]): Promise<void> {
      for (let first = 0; first < names.length; first += PAGE) {
        const heldKeys = [keys.heldAccounts, keys.account(''), keys.laneDelay('')];
        await runForget(heldKeys, names.slice(first, first + PAGE));
      }
    },

    /** Notes those that a process of an older version held, which notes none. */
    async noteAll(): Promise<void> {
      for (let first = 0; ; first += PAGE) {
        const found = await runNote([keys.heldAccounts, keys.accounts, keys.account('')], [first, first + PAGE - 1]);
        if (Number(found) < PAGE) return;
      }
    },
  };
}
