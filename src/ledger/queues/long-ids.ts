/** Longest id of an entry that is looked at (bytes): longer than any that a client gives by mistake. */
const MAX_ID_BYTES = 65_536;

/**
 * `takeNext(take, queue)`: the next id that an entry of a queue may have, by what takes one off the queue at each call. One
 * that is longer is taken away with its entry: BullMQ repeats an id in names of keys, events, errors and log lines, so a
 * single one of tens of MB would hold up all workers of a process, again and again. `queueOf(key)`: how the keys of the queue
 * begin that a list or set is of.
 */
export const TAKE_NEXT_LUA = `
local maxIdBytes = ${MAX_ID_BYTES}
local function queueOf(key)
  return (key:gsub('%a+$', ''))
end
local function takeNext(take, queue)
  local id, score = take()
  while id and #id > maxIdBytes do
    redis.call('UNLINK', queue .. id)
    id, score = take()
  end
  return id, score
end
`;
