import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Why an account holds its jobs back: it is paused, or its owner must connect it again. */
export type AccountHold = 'account_paused' | 'reauthorization';

/** The fields of an account's hash that say so. */
export const HOLD_FIELDS = ['pausedAt', 'reauthorizationRequiredAt'] as const;

/** The same for scripts, as arguments of a call. */
export const HOLD_FIELDS_LUA = HOLD_FIELDS.map((field) => `'${field}'`).join(', ');

/**
 * `holdOf(isPublishingPaused, paused, dead)` for scripts: an {@link AccountHold} by the values of {@link HOLD_FIELDS},
 * `publishing_paused`, or nil. `accountHold(key, pause)` is the same by the keys of the account and of the pause.
 */
export const ACCOUNT_HOLD_LUA = `
local function holdOf(isPublishingPaused, paused, dead)
  return isPublishingPaused and 'publishing_paused' or paused and 'account_paused' or dead and 'reauthorization' or nil
end
local function accountHold(key, pause)
  return holdOf(redis.call('EXISTS', pause) == 1, unpack(redis.call('HMGET', key, ${HOLD_FIELDS_LUA})))
end
`;

/** Why an account holds its jobs back, by the values of {@link HOLD_FIELDS}; undefined when it does not. */
export function holdOf([paused, dead]: readonly unknown[]): AccountHold | undefined {
  if (paused) return 'account_paused';
  return dead ? 'reauthorization' : undefined;
}

/** Why an account holds its jobs back now; undefined when it does not. */
export async function readAccountHold(
  redis: RedisClient,
  keys: Keys,
  account: string,
): Promise<AccountHold | undefined> {
  return holdOf(await redis.hmget(keys.account(account), ...HOLD_FIELDS));
}
