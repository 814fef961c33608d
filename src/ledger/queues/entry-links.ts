import { luaSetOf } from '../../redis/lua-script.ts';
import { QUEUE_KEY_NAMES } from './job-ids.ts';
import { TAKE_NEXT_LUA } from './long-ids.ts';

/** Fields in which an entry, or the next of a deduplicated one, names a parent in any queue, and what repeats it. */
const LINKS = ['parentKey', 'parent', 'pk', 'pd', 'pdk', 'rjk'];

/**
 * Answers to where BullMQ's scripts ask which children an entry has, by command and end of the key. Most calls are none of
 * these, so what they cost beyond the call itself is a look into a table.
 */
const CALL_LUA = `${TAKE_NEXT_LUA}
local isQueueKey = ${luaSetOf(QUEUE_KEY_NAMES)}
local function isOfEntry(key)
  local name = type(key) == 'string' and key:match(':tiktok%-%l+:(.*)$')
  return name and not isQueueKey[name]
end
local function call(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if isOfEntry(key) and answer.err:find('WRONGTYPE', 1, true) then redis.call('UNLINK', key) end
  return redis.call(command, key, ...)
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
  HGET = function(key, field)
    return not isLink[field] and call('HGET', key, field)
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
local function callWithoutLinks(command, key, ...)
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
 * A script of BullMQ's that takes entries for single ones. There are no flows and no schedulers here, and BullMQ follows the
 * links of an entry to any key that we may change: it would delete as a child, or fail as a parent, the account or the
 * record that somebody named who may only add entries. It also counts anew where a count is none, and takes a key of an entry
 * for missing that is of another type, such as a list as its lock: by these a script fails midway, with all other entries
 * that it is about. It takes no entry whose id is too long.
 */
export function withoutLinks(lua: string): string {
  const alone = lua.replaceAll(CALL, 'local rcall = callWithoutLinks');
  return alone === lua ? lua : `${CALL_LUA}${alone}`;
}
