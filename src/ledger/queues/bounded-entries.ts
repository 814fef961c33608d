import { MAX_ENTRY_BYTES } from '../../core/job-reference.ts';
import { asArray, prepareScript, type RedisClient } from '../../redis/lua-script.ts';
import { QUEUE_NAMES } from './queue-names.ts';

/**
 * `boundedHash(key)`: an entry without its texts that are too long, and in place of its data a note of its size. Data that
 * is too long is not even read: it is what clients make long.
 */
const BOUNDED_HASH_LUA = `
local function boundedHash(key)
  local dataBytes = redis.call('HSTRLEN', key, 'data')
  local flat = {}
  if dataBytes <= ${MAX_ENTRY_BYTES} then
    flat = redis.call('HGETALL', key)
  else
    for _, field in ipairs(redis.call('HKEYS', key)) do
      flat[#flat + 1] = field
      flat[#flat + 1] = field == 'data' and '{"leftOutBytes":' .. dataBytes .. '}' or redis.call('HGET', key, field)
    end
  end
  for place = #flat - 1, 1, -2 do
    if #flat[place + 1] > ${MAX_ENTRY_BYTES} then
      table.remove(flat, place)
      table.remove(flat, place)
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
