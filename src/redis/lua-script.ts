import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { redisCodeOf } from '../core/redis-code.ts';

/** A Redis client of ours: single node, Sentinel or Cluster. */
export type RedisClient = Redis | Cluster;

/** Runs a Lua script by its digest; its first call, and one to a server that does not know it, brings its text. */
export type RunScript = (keys: readonly string[], args: readonly (string | number | Buffer)[]) => Promise<unknown>;

/**
 * Prepares a Lua script for a client. All keys must share one hash slot.
 *
 * Unlike ioredis's `defineCommand` this leaves the client's type alone.
 */
export function prepareScript(redis: RedisClient, lua: string): RunScript {
  const digest = createHash('sha1').update(lua).digest('hex');
  let isSent = false;
  return async (keys, args) => {
    try {
      // Calls of one moment are sent in order, so the others already find it there.
      if (isSent) return await redis.evalsha(digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (redisCodeOf(error) !== 'NOSCRIPT') throw error;
    }
    isSent = true;
    return await redis.eval(lua, keys.length, ...keys, ...args);
  };
}

/**
 * Runs a script that calls its keys and the fields of its argument by name; an undefined one is not there. The list comes
 * as it is.
 */
export type RunNamedScript = (
  keys: Readonly<Record<string, string | undefined>>,
  argument: Readonly<Record<string, unknown>>,
  list?: readonly string[],
) => Promise<unknown>;

/**
 * Prepares a Lua script that finds its keys in the table `key`, its argument in the table `arg`, and the list from
 * `ARGV[2]` on. Numbers beyond 14 digits, and JSON that is to be stored as it is, must be passed as strings: Lua's own
 * JSON would change them.
 */
export function prepareNamedScript(redis: RedisClient, lua: string): RunNamedScript {
  // One script for each set of key names; there are few.
  const runs = new Map<string, RunScript>();
  return async (keys, argument, list = []) => {
    const names: string[] = [];
    const given: string[] = [];
    for (const [name, key] of Object.entries(keys)) {
      if (key === undefined) continue;
      names.push(name);
      given.push(key);
    }
    const known = runs.get(names.join());
    const run = known ?? prepareScript(redis, `${namedKeys(names)}${DECODE_LUA}${lua}`);
    if (known === undefined) runs.set(names.join(), run);
    return await run(given, [encodeArgument(argument), ...list]);
  };
}

/** A Lua table of keys, each made of what all keys begin with, which is found in `start`: so only that is sent. */
export function keyTable(start: string, keys: Readonly<Record<string, string>>): string {
  const fields = Object.entries(keys).map(([name, key]) => `${name} = start .. '${key.slice(start.length)}'`);
  return `{ ${fields.join(', ')} }`;
}

function namedKeys(names: readonly string[]): string {
  return `local key = { ${names.map((name, index) => `${name} = KEYS[${index + 1}]`).join(', ')} }\n`;
}

const DECODE_LUA = 'local arg = cjson.decode(ARGV[1])\n';

/** Redis refuses to decode half a UTF-16 pair; as a plain argument it would have become the same mark. */
function encodeArgument(argument: unknown): string {
  const json = JSON.stringify(argument);
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(argument, (_field, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\uFFFD') : value,
  );
}

/** Names as a set for scripts: `set[name]` is true or nil. */
export function luaSetOf(names: readonly string[]): string {
  return `{ ${names.map((name) => `['${name}'] = true`).join(', ')} }`;
}

/**
 * `serverTime()` for scripts: Redis's time (ms). A record's age and when the sweep looks at it go by this one clock: who
 * writes it may be on a machine whose clock is a month off, and must neither have it forgotten early nor hide it from
 * the sweep.
 */
export const SERVER_TIME = `
local serverNow
local function serverTime()
  if not serverNow then
    local time = redis.call('TIME')
    serverNow = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return serverNow
end
`;

/** What a script answered, as a list. */
export function asArray(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}
