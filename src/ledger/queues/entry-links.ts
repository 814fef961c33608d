/** Fields in which an entry, or the next of a deduplicated one, names a parent in any queue, and what repeats it. */
const LINKS = ['parentKey', 'parent', 'pk', 'pd', 'pdk', 'rjk'];

/** What BullMQ's scripts find where they ask which children an entry has: command and end of the key. */
const NO_CHILDREN = {
  ...{ 'SMEMBERS:dependencies': '{}', 'SCARD:dependencies': '0', 'HGETALL:processed': '{}', 'HGETALL:failed': '{}' },
  ...{ 'ZRANGE:unsuccessful': '{}', 'ZCARD:unsuccessful': '0' },
};

const CALL_LUA = `
local isLink = { ${LINKS.map((field) => `${field} = true`).join(', ')} }
local noChildren = { ${Object.entries(NO_CHILDREN)
  .map(([question, none]) => `['${question}'] = ${none}`)
  .join(', ')} }
local function callWithoutLinks(command, key, ...)
  local none = noChildren[command .. (key:match(':%a+$') or '')]
  if none then return none end
  if command == 'HINCRBY' then
    local count = redis.pcall(command, key, ...)
    if type(count) == 'number' then return count end
    local field, by = ...
    redis.call('HSET', key, field, by)
    return by
  end
  local answer = redis.call(command, key, ...)
  if command == 'HGET' and isLink[...] then return false end
  if command == 'HMGET' then
    for place, field in ipairs({ ... }) do
      if isLink[field] then answer[place] = false end
    end
  end
  return answer
end
`;

/** How BullMQ's scripts call Redis. */
const CALL = 'local rcall = redis.call';

/**
 * A script of BullMQ's that takes entries for single ones. There are no flows and no schedulers here, and BullMQ follows the
 * links of an entry to any key that we may change: it would delete as a child, or fail as a parent, the account or the
 * record that somebody named who may only add entries. It also counts anew where a count is none, by which a script would
 * fail midway.
 */
export function withoutLinks(lua: string): string {
  const alone = lua.replaceAll(CALL, 'local rcall = callWithoutLinks');
  return alone === lua ? lua : `${CALL_LUA}${alone}`;
}
