import type { Queue } from 'bullmq';
import { asArray, prepareScript, type RedisClient } from '../../redis/lua-script.ts';
import { QUEUE_KEY_NAMES } from './job-ids.ts';

/** `meta` is a hash of BullMQ's own, there from the start, so that it takes an entry of this id for a duplicate. */
const BREAKING_IDS = QUEUE_KEY_NAMES.filter((name) => name !== 'meta');

/**
 * Answers the ids, of `ARGV[2]` and what follows, under whose keys there is an entry. With `delete` in `ARGV[1]` it deletes
 * those keys, and takes the ids out of the queue.
 */
const FIND_SCRIPT = `
local found = {}
for place = 2, #ARGV do
  local id = ARGV[place]
  if redis.call('TYPE', KEYS[1] .. id).ok == 'hash' then
    found[#found + 1] = id
    if ARGV[1] == 'delete' then redis.call('DEL', KEYS[1] .. id) end
  end
end
if ARGV[1] ~= 'delete' then return found end
for _, id in ipairs(found) do
  for _, list in ipairs({ 'wait', 'paused', 'active' }) do redis.call('LREM', KEYS[1] .. list, 0, id) end
  for _, set in ipairs({ 'prioritized', 'delayed' }) do redis.call('ZREM', KEYS[1] .. set, id) end
end
return found
`;

/**
 * A client may give an entry the id `wait` or `active`. BullMQ stores it under the key of its list, cannot add to that list
 * from then on, and the queue stands still. The list was empty, so nothing but the entry is lost with that key, and the
 * queue works again.
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
