import type { Queue } from 'bullmq';
import { type EntryScript, referenceTo } from '../../core/job-reference.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { bullScriptOf } from './fetch-script.ts';

/** BullMQ's scripts that add a job, with the keys of the queue that each takes. */
const ADD_SCRIPTS = {
  addStandardJob: ['wait', 'paused', 'meta', 'id', 'completed', 'delayed', 'active', 'events', 'marker'],
  addPrioritizedJob: ['marker', 'meta', 'id', 'prioritized', 'delayed', 'completed', 'active', 'events', 'pc'],
  addDelayedJob: ['marker', 'meta', 'id', 'delayed', 'completed', 'events'],
} as const;

const addEntryLua = (jobName: string): string => `
local function addEntry(id, delay, priority, addedAt, data)
  delay, priority = tonumber(delay), tonumber(priority)
  local job = cmsgpack.pack({ key.queue, id, '${jobName}', tonumber(addedAt) })
  if delay == 0 then delay = nil end
  if priority == 0 then priority = nil end
  local options = cmsgpack.pack({ delay = delay, priority = priority })
  local add = delay and addDelayedJob or priority and addPrioritizedJob or addStandardJob
  add({ job, data, options })
end
`;

/**
 * Makes {@link EntryScript} of BullMQ's own scripts, once it has given them to its client. A test compares what it adds
 * with what BullMQ adds, which also writes the default options, and the id once more.
 * @param jobName BullMQ's name of the entries
 * @returns undefined if this BullMQ has other scripts
 */
export async function entryScriptOf(
  queue: Queue,
  jobName: string,
  client: RedisClient,
): Promise<EntryScript | undefined> {
  await queue.waitUntilReady();
  const functions = Object.entries(ADD_SCRIPTS).map(([name, keys]) => {
    const script = bullScriptOf(name, keys.length, client);
    if (script === undefined) return undefined;
    return `
local function ${name}(arguments)
  local function run(KEYS, ARGV)
${script}
  end
  run({ ${keys.map((each) => `key.queue .. '${each}'`).join(', ')} }, arguments)
end`;
  });
  if (functions.includes(undefined)) return undefined;
  return {
    lua: `${functions.join('\n')}${addEntryLua(jobName)}`,
    queueKey: queue.toKey(''),
    argumentsOf: (entry) => [
      String(entry.delayMs),
      String(entry.priority ?? ''),
      String(Date.now()),
      JSON.stringify(referenceTo(entry)),
    ],
  };
}
