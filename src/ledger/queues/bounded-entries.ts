import { MAX_ENTRY_BYTES } from '../../core/job-reference.ts';
import { asArray, prepareScript, type RedisClient } from '../../redis/lua-script.ts';
import { QUEUE_NAMES } from './queue-names.ts';

/**
 * `boundedHash(key)`: an entry without its texts that are too long, and in place of its data a note of its size. What any
 * client can set is looked at; the rest is BullMQ's own.
 */
const BOUNDED_HASH_LUA = `
local function boundedHash(key)
  local longest = 0
  for _, field in ipairs({ 'data', 'name', 'opts', 'parent', 'parentKey', 'returnvalue', 'progress' }) do
    longest = math.max(longest, redis.call('HSTRLEN', key, field))
  end
  if longest <= ${MAX_ENTRY_BYTES} then return redis.call('HGETALL', key) end
  local flat = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local bytes = redis.call('HSTRLEN', key, field)
    local value = field == 'data' and '{"leftOutBytes":' .. bytes .. '}'
    if bytes <= ${MAX_ENTRY_BYTES} then value = redis.call('HGET', key, field) end
    if value then
      flat[#flat + 1] = field
      flat[#flat + 1] = value
    end
  end
  return flat
end
`;

/** How BullMQ's scripts read an entry. */
const READ_ENTRY = /rcall\("HGETALL", (jobKey|prefix \.\. jobId)\)/g;

const bounded = new WeakSet<RedisClient>();

/**
 * Has BullMQ read entries through this client only as far as they are of a sane size: a single one of hundreds of MB
 * would end one worker after another. To be called before BullMQ gets the client.
 */
export function boundEntries(client: RedisClient): RedisClient {
  if (bounded.has(client)) return client;
  bounded.add(client);
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, { lua, ...definition }) => {
    const read = lua.replace(READ_ENTRY, 'boundedHash($1)');
    define(name, { ...definition, lua: read === lua ? lua : `${BOUNDED_HASH_LUA}${read}` });
  };
  const readHash = prepareScript(client, `${BOUNDED_HASH_LUA}return boundedHash(KEYS[1])`);
  const hgetall = client.hgetall.bind(client);
  client.hgetall = async (key: string) => (isOfQueue(key) ? toObject(await readHash([key], [])) : await hgetall(key));
  return client;
}

/** Other hashes are ours, such as records, and of a sane size. */
function isOfQueue(key: string): boolean {
  return Object.values(QUEUE_NAMES).some((name) => key.includes(`:${name}:`));
}

function toObject(flat: unknown): Record<string, string> {
  const fields = asArray(flat);
  return Object.fromEntries(
    fields.flatMap((name, at) => (at % 2 === 0 ? [[String(name), String(fields[at + 1])]] : [])),
  );
}
