import type { Queue } from 'bullmq';
import { type EntryScript, referenceTo } from '../core/job-reference.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { PUBLISH_JOB_NAME } from './queue-names.ts';

/** BullMQ's scripts that add a job, with the keys of the queue that each takes. */
const ADD_SCRIPTS = {
  addStandardJob: ['wait', 'paused', 'meta', 'id', 'completed', 'delayed', 'active', 'events', 'marker'],
  addPrioritizedJob: ['marker', 'meta', 'id', 'prioritized', 'delayed', 'completed', 'active', 'events', 'pc'],
  addDelayedJob: ['marker', 'meta', 'id', 'delayed', 'completed', 'events'],
} as const;

const ADD_ENTRY_LUA = `
local function addEntry(id, delay, priority, addedAt, data)
  delay, priority = tonumber(delay), tonumber(priority)
  local job = cmsgpack.pack({ key.queue, id, '${PUBLISH_JOB_NAME}', tonumber(addedAt) })
  local options = cmsgpack.pack({ jobId = id, delay = delay, priority = priority, attempts = 0 })
  local add = delay > 0 and addDelayedJob or priority > 0 and addPrioritizedJob or addStandardJob
  add({ job, data, options })
end
`;

/**
 * Makes {@link EntryScript} of BullMQ's own scripts, once it has given them to its client. A test compares what it adds
 * with what BullMQ adds.
 * @returns undefined if this BullMQ has other scripts
 */
export async function entryScriptOf(queue: Queue, client: RedisClient): Promise<EntryScript | undefined> {
  await queue.waitUntilReady();
  const scripts: Readonly<Record<string, { readonly lua: string }>> = client.scriptsSet;
  const functions = Object.entries(ADD_SCRIPTS).map(([name, keys]) => {
    // Its version is part of the name.
    const script = Object.entries(scripts).find(([fullName]) => fullName.startsWith(`${name}:`))?.[1];
    if (script === undefined) return undefined;
    return `
local function ${name}(arguments)
  local function run(KEYS, ARGV)
${script.lua}
  end
  run({ ${keys.map((each) => `key.queue .. '${each}'`).join(', ')} }, arguments)
end`;
  });
  if (functions.includes(undefined)) return undefined;
  return {
    lua: `${functions.join('\n')}${ADD_ENTRY_LUA}`,
    queueKey: queue.toKey(''),
    argumentsOf: (entry) => [
      String(entry.delayMs),
      String(entry.priority),
      String(Date.now()),
      JSON.stringify(referenceTo(entry)),
    ],
  };
}
