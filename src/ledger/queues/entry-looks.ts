import type { Queue } from 'bullmq';
import { prepareScript, type RedisClient } from '../../redis/lua-script.ts';

/**
 * How many entries of a list are looked through for one, from the one that comes next: a tenth of a millisecond. BullMQ's
 * own look reads the whole list, which takes milliseconds where a million jobs wait.
 */
const LOOKED_THROUGH = 10_000;

/** KEYS: how the queue's keys begin; ARGV: an id. Answers whether its entry will still run. */
const PENDING_LUA = `
local queue, id = KEYS[1], ARGV[1]
for _, set in ipairs({ 'completed', 'failed' }) do
  if redis.call('ZSCORE', queue .. set, id) then return 0 end
end
for _, set in ipairs({ 'delayed', 'prioritized' }) do
  if redis.call('ZSCORE', queue .. set, id) then return 1 end
end
if redis.call('LPOS', queue .. 'active', id) then return 1 end
for _, list in ipairs({ 'wait', 'paused' }) do
  if redis.call('LPOS', queue .. list, id, 'RANK', -1, 'MAXLEN', ${LOOKED_THROUGH}) then return 1 end
  if redis.call('LLEN', queue .. list) > ${LOOKED_THROUGH} then return redis.call('EXISTS', queue .. id) end
end
return 0
`;

export type EntryLooks = ReturnType<typeof prepareEntryLooks>;

/** Prepares looks at single entries, which cost the same however many wait. */
export function prepareEntryLooks(redis: RedisClient) {
  const runPending = prepareScript(redis, PENDING_LUA);
  return {
    /**
     * Whether an entry will still run: waiting, delayed or active. One with data counts as waiting where more than
     * {@link LOOKED_THROUGH} do; should Redis have lost its place among them, that is noticed when fewer wait.
     */
    isPending: async (queue: Queue, id: string): Promise<boolean> => (await runPending([queue.toKey('')], [id])) === 1,

    /** Whether an entry sleeps. */
    isDelayed: async (queue: Queue, id: string): Promise<boolean> =>
      (await redis.zscore(queue.toKey('delayed'), id)) !== null,
  };
}
