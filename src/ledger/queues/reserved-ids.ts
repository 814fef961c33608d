import type { Queue } from 'bullmq';
import { asArray, prepareScript, type RedisClient } from '../../redis/lua-script.ts';
import { QUEUE_KEY_NAMES } from './job-ids.ts';

/** `meta` is a hash of BullMQ's own, there from the start, so that it takes an entry of this id for a duplicate. */
const BREAKING_IDS = QUEUE_KEY_NAMES.filter((name) => name !== 'meta');

/** How many of BullMQ's own events each queue keeps, which only plain clients follow, and as they happen. */
export const BULLMQ_EVENTS_KEPT = 1_000;
/** In a longer list nobody looks: an entry counts as in it, and gets no place. */
const LOOKED_THROUGH = 10_000;

/**
 * Answers the ids, of `ARGV[2]` and what follows, under whose keys there is an entry, or something else that is not what BullMQ
 * has there. With `delete` in `ARGV[1]` it deletes
 * those keys, and takes the ids out of the queue. Then it gives entries a place that were stored meanwhile and got none,
 * by the queue's events: BullMQ takes a second try of their client for a duplicate, so nobody else would. Their place is at the end
 * of `wait`, whatever their priority.
 */
const FIND_SCRIPT = `
local queue, found = KEYS[1], {}
local lists, sets = { 'wait', 'paused', 'active' }, { 'prioritized', 'delayed', 'waiting-children', 'completed', 'failed' }
local typeOf = {}
for _, list in ipairs(lists) do typeOf[list] = 'list' end
for _, set in ipairs(sets) do typeOf[set] = 'zset' end
for place = 2, #ARGV do
  local id = ARGV[place]
  local is = redis.call('TYPE', queue .. id).ok
  if is == 'hash' or (typeOf[id] and is ~= typeOf[id] and is ~= 'none') then
    found[#found + 1] = id
    if ARGV[1] == 'delete' then redis.call('DEL', queue .. id) end
  end
end
if ARGV[1] ~= 'delete' or #found == 0 then return found end
for _, id in ipairs(found) do
  for _, list in ipairs(lists) do redis.call('LREM', queue .. list, 0, id) end
  for _, set in ipairs(sets) do redis.call('ZREM', queue .. set, id) end
end
local function hasPlace(id)
  for _, set in ipairs(sets) do
    if redis.call('ZSCORE', queue .. set, id) then return true end
  end
  for _, list in ipairs(lists) do
    if redis.call('LLEN', queue .. list) > ${LOOKED_THROUGH} or redis.call('LPOS', queue .. list, id) then return true end
  end
end
for _, event in ipairs(redis.call('XREVRANGE', queue .. 'events', '+', '-', 'COUNT', ${BULLMQ_EVENTS_KEPT})) do
  local fields = {}
  for place = 1, #event[2], 2 do fields[event[2][place]] = event[2][place + 1] end
  local id = fields.jobId
  if fields.event == 'added' and id and redis.call('TYPE', queue .. id).ok == 'hash' and not hasPlace(id) then
    local entry = redis.call('HMGET', queue .. id, 'timestamp', 'delay')
    local delay = tonumber(entry[2]) or 0
    if entry[1] and delay > 0 then redis.call('ZADD', queue .. 'delayed', (entry[1] + delay) * 4096, id)
    elseif entry[1] then redis.call('LPUSH', queue .. 'wait', id) end
    redis.call('ZADD', queue .. 'marker', 0, '0')
  end
end
return found
`;

/**
 * A client may give an entry the id `wait` or `active`. BullMQ stores it under the key of its list, cannot add to that list
 * from then on, and the queue stands still. The list was empty, so nothing but the entry is lost with that key, and the
 * queue works again, with the entries that were added meanwhile.
 */
export function prepareReservedIds(redis: RedisClient, queues: readonly Queue[]) {
  const run = prepareScript(redis, FIND_SCRIPT);
  const look = async (queue: Queue, what: 'find' | 'delete') => {
    const found = asArray(await run([queue.toKey('')], [what, ...BREAKING_IDS]));
    return found.map((id) => ({ queue: queue.name, id: String(id) }));
  };
  const lookAtAll = async (what: 'find' | 'delete') =>
    (await Promise.all(queues.map((queue) => look(queue, what)))).flat();
  return {
    /** Entries that stop their queue. */
    findReservedIds: () => lookAtAll('find'),
    /** Takes them away. @returns which there were */
    removeReservedIds: () => lookAtAll('delete'),
  };
}
