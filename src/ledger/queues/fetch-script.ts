import type { FetchScript } from '../../core/job-reference.ts';
import type { RedisClient } from '../../redis/lua-script.ts';

/** BullMQ's scripts that fetch a job, alone or after the one before, with the number of keys that each takes. */
const FETCH_SCRIPTS: ReadonlyMap<string, number> = new Map([
  ['moveToActive', 11],
  ['moveToDelayed', 11],
  ['moveToFinished', 14],
]);

/**
 * Puts something into a script of BullMQ's that fetches a job. It takes BullMQ's keys and one more, BullMQ's arguments and
 * one more, and answers what BullMQ's answers and, where a job was fetched, what was made of it.
 * @param name of the script
 * @param lua defines `onFetched(key, argument, id, starts, stalls, addedAt)`; where that fails, the job is fetched all the same
 * @returns undefined if the script fetches no job, or is another one in this BullMQ
 */
export function fetchScriptOf(name: string, lua: string, client: RedisClient): FetchScript | undefined {
  const keyCount = FETCH_SCRIPTS.get(name);
  const script = keyCount === undefined ? undefined : bullScriptOf(name, keyCount, client);
  if (keyCount === undefined || script === undefined) return undefined;
  return {
    ...{ name, keyCount },
    lua: `${lua}
local function fetch(KEYS, ARGV)
${script}
end
local fetched = fetch(KEYS, ARGV)
if type(fetched) ~= 'table' or type(fetched[1]) ~= 'table' then return { fetched } end
local entry = {}
for i = 1, #fetched[1], 2 do entry[fetched[1][i]] = fetched[1][i + 1] end
local isMade, made = pcall(onFetched, KEYS[${keyCount + 1}], ARGV[#ARGV], fetched[2], entry.ats, entry.stc or 0, entry.timestamp)
return { fetched, isMade and made }`,
  };
}

/**
 * A Lua script of BullMQ's, once BullMQ has given them to its client.
 * @returns undefined if this BullMQ has none of that name and number of keys
 */
export function bullScriptOf(name: string, keyCount: number, client: RedisClient): string | undefined {
  const scripts: Readonly<Record<string, { readonly lua: string; readonly numberOfKeys: number }>> = client.scriptsSet;
  // Its version is part of the name.
  const script = Object.entries(scripts).find(([fullName]) => fullName.startsWith(`${name}:`))?.[1];
  return script?.numberOfKeys === keyCount ? script.lua : undefined;
}
