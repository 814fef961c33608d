import { ACCOUNT_HOLD_LUA } from '../accounts/account-hold.ts';

/** One upload per account at a time, until a service has published another limit. */
const DEFAULT_LANE_LIMIT = 1;

/**
 * Lua of the lanes. KEYS of each: waiting set, admitted set, the account's hash, set of lanes in use, the lane limit.
 *
 * The waiting set is ordered by priority, then age; the admitted set by the time of admission.
 */

/** How many jobs of one account may be admitted at a time, whatever the account. */
const LANE_LIMIT = `
local function laneLimit(key) return tonumber(redis.call('GET', key) or '') or ${DEFAULT_LANE_LIMIT} end
`;

/** Admits a job where there is room, else lets it wait. Needs keys of waiting and admitted jobs, lanes and the limit. */
export const ADMIT_OR_WAIT = `${LANE_LIMIT}
local function admitOrWait(waiting, admitted, lanes, limit, account, id, score, now)
  if redis.call('ZSCORE', admitted, id) then return 'admitted' end
  if redis.call('ZCARD', admitted) < laneLimit(limit) and redis.call('ZCARD', waiting) == 0 then
    redis.call('ZADD', admitted, now, id)
    return 'admitted'
  end
  redis.call('ZADD', waiting, score, id)
  redis.call('ZADD', lanes, 'NX', now, account)
  return 'waiting'
end
`;

/** ARGV: account, id, score, now. Answers `admitted`, `waiting`, `account_paused` or `reauthorization`. */
export const ENTER_LUA = `${ADMIT_OR_WAIT}
${ACCOUNT_HOLD_LUA}
local where = admitOrWait(KEYS[1], KEYS[2], KEYS[4], KEYS[5], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if where == 'waiting' then return where end
return accountHold(KEYS[3]) or where
`;

/**
 * ARGV: account, id ('' for nobody), now. Answers the ids that have to be woken: those admitted in its place, and
 * all that are admitted when it had left before, since whoever took it out may have died before waking them.
 */
export const LEAVE_LUA = `${LANE_LIMIT}
local waited = redis.call('ZREM', KEYS[1], ARGV[2]) == 1
local hadLeft = redis.call('ZREM', KEYS[2], ARGV[2]) == 0 and not waited and ARGV[2] ~= ''
local next = hadLeft and redis.call('ZRANGE', KEYS[2], 0, -1) or {}
local free = laneLimit(KEYS[5]) - redis.call('ZCARD', KEYS[2])
while free > 0 do
  local popped = redis.call('ZPOPMIN', KEYS[1])
  if not popped[1] then break end
  redis.call('ZADD', KEYS[2], ARGV[3], popped[1])
  next[#next + 1] = popped[1]
  free = free - 1
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
return next
`;
