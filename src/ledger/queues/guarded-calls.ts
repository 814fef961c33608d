import { luaSetOf } from '../../redis/lua-script.ts';
import { TAKE_NEXT_LUA } from './long-ids.ts';

/** Fields in which an entry, or the next of a deduplicated one, names a parent in any queue, and what repeats it. */
const LINKS = ['parentKey', 'parent', 'pk', 'pd', 'pdk', 'rjk'];

/** Keys of a queue that are not replaced where they are of another type than BullMQ makes; see `reserved-ids.ts`. */
const ENTRY_HOLDERS = [
  ...['wait', 'paused', 'active', 'delayed', 'prioritized', 'completed', 'failed', 'waiting-children', 'meta'],
];

/** BullMQ's, which its own clients keep to. */
const LARGEST_PRIORITY = 2_097_152;

/**
 * `guardedCall(command, key, ...)`: most calls are none of those that have an answer here, so what they cost beyond the call
 * itself is a look into a table.
 */
const GUARDED_CALL_LUA = `${TAKE_NEXT_LUA}
local holdsEntries = ${luaSetOf(ENTRY_HOLDERS)}
local function isReplaced(key)
  local name = type(key) == 'string' and key:match(':tiktok%-%l+:(.*)$')
  return name and not holdsEntries[name]
end
local function call(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if isReplaced(key) and answer.err:find('WRONGTYPE', 1, true) then redis.call('UNLINK', key) end
  return redis.call(command, key, ...)
end
local function isPriority(text)
  local priority = tonumber(text)
  return priority and priority >= 0 and priority <= ${LARGEST_PRIORITY}
end
local isLink = ${luaSetOf(LINKS)}
local noChildren = {
  SMEMBERS = { dependencies = {} }, SCARD = { dependencies = 0 }, HGETALL = { processed = {}, failed = {} },
  ZRANGE = { unsuccessful = {} }, ZCARD = { unsuccessful = 0 },
}
local answers = {
  HINCRBY = function(key, field, by)
    local count = redis.pcall('HINCRBY', key, field, by)
    if type(count) == 'number' then return count end
    call('HSET', key, field, by)
    return by
  end,
  EXISTS = function(key, ...)
    local isForEver = key:find(':stalled%-check$') and redis.call('PTTL', key) == -1
    return isForEver and 0 or call('EXISTS', key, ...)
  end,
  HGET = function(key, field)
    if isLink[field] then return false end
    local value = call('HGET', key, field)
    return (field ~= 'priority' or isPriority(value)) and value or false
  end,
  HMGET = function(key, ...)
    local answer = call('HMGET', key, ...)
    for place, field in ipairs({ ... }) do
      if isLink[field] then answer[place] = false end
    end
    return answer
  end,
  RPOPLPUSH = function(wait, active)
    return (takeNext(function()
      local id = redis.call('RPOPLPUSH', wait, active)
      if id and #id > maxIdBytes then redis.call('LPOP', active) end
      return id
    end, queueOf(wait)))
  end,
  ZPOPMIN = function(prioritized)
    local id, score = takeNext(function() return unpack(redis.call('ZPOPMIN', prioritized)) end, queueOf(prioritized))
    return { id, score }
  end,
}
local function guardedCall(command, key, ...)
  local answer = answers[command]
  if answer then return answer(key, ...) end
  local ends = noChildren[command]
  local none = ends and ends[key:match(':(%a+)$') or '']
  return none or call(command, key, ...)
end
`;

/** How BullMQ's scripts call Redis. */
const CALL = 'local rcall = redis.call';

/**
 * A script of BullMQ's that an entry can neither lead elsewhere nor stop halfway, whatever somebody made of it who may only
 * add entries.
 *
 * - There are no flows and no schedulers here. BullMQ follows the links of an entry to any key that we may change: it would
 *   delete as a child, or fail as a parent, the account or the record that the entry names.
 * - A script that fails midway leaves other entries in no list, or without their locks. So it counts anew where a count is
 *   none, takes a priority that is none for missing, and replaces a key that is of another type than BullMQ makes.
 * - It looks for stalled entries although the note of the last look never ends, and takes no entry whose id is too long.
 */
export function guardCalls(lua: string): string {
  const guarded = lua.replaceAll(CALL, 'local rcall = guardedCall');
  return guarded === lua ? lua : `${GUARDED_CALL_LUA}${guarded}`;
}
