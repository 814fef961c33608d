import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/** Why an account holds its jobs back: it is paused, or its owner must connect it again. */
export type AccountHold = 'account_paused' | 'reauthorization';

/** `accountHold(key, pause)` for scripts: an {@link AccountHold}, `publishing_paused` if there is that key, or nil. */
export const ACCOUNT_HOLD_LUA = `
local function accountHold(key, pause)
  if redis.call('EXISTS', pause) == 1 then return 'publishing_paused' end
  local seen = redis.call('HMGET', key, 'pausedAt', 'reauthorizationRequiredAt')
  if seen[1] then return 'account_paused' end
  if seen[2] then return 'reauthorization' end
  return nil
end
`;

/** The fields of an account's hash that say so. */
export const HOLD_FIELDS = ['pausedAt', 'reauthorizationRequiredAt'] as const;

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
