import { ACCOUNT_HOLD_LUA } from '../accounts/account-hold.ts';

/**
 * Lua of the lanes. KEYS of each: waiting set, admitted set, the account's hash, set of lanes in use.
 *
 * The waiting set is ordered by priority, then age; the admitted set by the time of admission.
 */

/** Admits a job where there is room, else lets it wait. Needs the locals waiting, admitted, id, score, limit, now. */
export const ADMIT_OR_WAIT = `
local function admitOrWait(waiting, admitted, lanes, account, id, score, limit, now)
  if redis.call('ZSCORE', admitted, id) then return 'admitted' end
  if redis.call('ZCARD', admitted) < tonumber(limit) and redis.call('ZCARD', waiting) == 0 then
    redis.call('ZADD', admitted, now, id)
    return 'admitted'
  end
  redis.call('ZADD', waiting, score, id)
  redis.call('ZADD', lanes, 'NX', now, account)
  return 'waiting'
end
`;

/** ARGV: account, id, score, limit, now. Answers `admitted`, `waiting`, `account_paused` or `reauthorization`. */
export const ENTER_LUA = `${ADMIT_OR_WAIT}
${ACCOUNT_HOLD_LUA}
local where = admitOrWait(KEYS[1], KEYS[2], KEYS[4], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if where == 'waiting' then return where end
return accountHold(KEYS[3]) or where
`;

/**
 * ARGV: account, id ('' for nobody), limit, now. Answers the ids that have to be woken: those admitted in its place, and
 * all that are admitted when it had left before, since whoever took it out may have died before waking them.
 */
export const LEAVE_LUA = `
local waited = redis.call('ZREM', KEYS[1], ARGV[2]) == 1
local hadLeft = redis.call('ZREM', KEYS[2], ARGV[2]) == 0 and not waited and ARGV[2] ~= ''
local next = hadLeft and redis.call('ZRANGE', KEYS[2], 0, -1) or {}
local free = tonumber(ARGV[3]) - redis.call('ZCARD', KEYS[2])
while free > 0 do
  local popped = redis.call('ZPOPMIN', KEYS[1])
  if not popped[1] then break end
  redis.call('ZADD', KEYS[2], ARGV[4], popped[1])
  next[#next + 1] = popped[1]
  free = free - 1
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
return next
`;
