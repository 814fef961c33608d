import { MAX_ENTRY_BYTES } from '../../core/job-reference.ts';
import { DAY_MS } from '../../core/units.ts';
import { asArray, prepareScript, type RedisClient } from '../../redis/lua-script.ts';
import { guardCalls } from './guarded-calls.ts';
import { QUEUE_NAMES } from './queue-names.ts';

/**
 * The fields of an entry that are read, besides its data and time: those before it runs, and those of its outcome. Others
 * are not: an `id` would be taken for the entry's own, and there may be any number of them.
 */
const FIELDS = ['name', 'opts', 'delay', 'priority', 'deid', 'ats', 'atm', 'stc', 'processedOn', 'pb'];
const OUTCOME_FIELDS = ['finishedOn', 'returnvalue', 'failedReason', 'defa', 'stacktrace'];

/** Longest field that is read: logs, traces and pages of the board repeat it, for hundreds of entries at once. */
const MAX_FIELD_BYTES = 4_096;
/** Of the fields that BullMQ and its clients write at length. */
const MAX_LONG_FIELD_BYTES = 65_536;

/**
 * Most of an entry that is read to be shown (bytes): a page of the board has hundreds. What is longer is shown by its size;
 * the longest request that an app sends by REST has four times as much, but is shown from its record.
 */
const MAX_SHOWN_BYTES = 16_384;

/** The latest that JavaScript takes for a time. */
const LATEST_TIME_MS = 100_000_000 * DAY_MS;

/**
 * `boundedHash(key, maxBytes)`: of an entry the {@link FIELDS} that are not too long, with options and a time that can be
 * read, and in place of data that is too long a note of its size. Such data is not even read: it is what clients make long.
 * With `maxBytes` the whole is bounded, too. What is written again as JSON has at most the thousand levels that JavaScript
 * can write. Of what is no hash, such as the lock of an entry, nothing. `isListed(key, id)`: whether a page may have it.
 */
const BOUNDED_HASH_LUA = `
local function readableOptions(json)
  local isRead, options = pcall(cjson.decode, json)
  local isWritten, written = pcall(cjson.encode, isRead and type(options) == 'table' and options or {})
  return isWritten and written or '{}'
end
local function isDeep(json)
  return not pcall(cjson.decode, json)
end
local function readableTime(text)
  local time = text and #text < 17 and text:find('^%d+$') and tonumber(text)
  return time and time <= ${LATEST_TIME_MS} and text or '0'
end
local isWrittenBack = { returnvalue = true, stacktrace = true }
local function longest(field)
  return (isWrittenBack[field] or field == 'opts') and ${MAX_LONG_FIELD_BYTES} or ${MAX_FIELD_BYTES}
end
local function boundedHash(key, maxBytes)
  local flat, left = {}, maxBytes or math.huge
  local function add(field, value)
    flat[#flat + 1] = field
    flat[#flat + 1] = value
    left = left - #value
  end
  local dataBytes = redis.pcall('HSTRLEN', key, 'data')
  if type(dataBytes) ~= 'number' then return flat end
  local fields = { 'timestamp', ${[...FIELDS, ...OUTCOME_FIELDS].map((field) => `'${field}'`).join(', ')} }
  local values = redis.call('HMGET', key, unpack(fields))
  local function addFields(first, last)
    for place = first, last do
      local field, value = fields[place], values[place]
      local isKept = value and #value <= math.min(longest(field), left) and not (isWrittenBack[field] and isDeep(value))
      if isKept then add(field, field == 'opts' and value ~= '{}' and readableOptions(value) or value) end
    end
  end
  addFields(2, ${FIELDS.length + 1})
  if dataBytes > math.min(${MAX_ENTRY_BYTES}, left) then
    add('data', '{"leftOutBytes":' .. dataBytes .. '}')
  elseif dataBytes > 0 then
    add('data', redis.call('HGET', key, 'data'))
  end
  addFields(${FIELDS.length + 2}, #fields)
  if #flat > 0 then add('timestamp', readableTime(values[1])) end
  return flat
end
local function isListed(key, id)
  local fields = redis.pcall('HLEN', key)
  return #id <= ${MAX_FIELD_BYTES} and type(fields) == 'number' and fields > 0
end
`;

/** How BullMQ's scripts read an entry that is to run. */
const READ_ENTRY = 'rcall("HGETALL", jobKey)';
/** How its script for a page does, though of what it reads only the ids are used. */
const READ_LISTED = 'rcall("HGETALL", prefix .. jobId)';

const bounded = new WeakSet<RedisClient>();

/**
 * Has BullMQ read entries through this client only as far as they are of a sane size and can be read, without their links:
 * a single one of hundreds of MB, or with options that are no JSON, would stop one worker after another, and a page of many
 * that are to be shown a web server. To be called before BullMQ gets the client.
 */
export function boundEntries(client: RedisClient): RedisClient {
  if (bounded.has(client)) return client;
  bounded.add(client);
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, { lua, ...definition }) => {
    const listed = lua.replaceAll(READ_LISTED, "(isListed(prefix .. jobId, jobId) and { 'id' } or {})");
    const read = listed.replaceAll(READ_ENTRY, 'boundedHash(jobKey)');
    define(name, { ...definition, lua: guardCalls(read === lua ? lua : `${BOUNDED_HASH_LUA}${read}`) });
  };
  const readHash = prepareScript(client, `${BOUNDED_HASH_LUA}return boundedHash(KEYS[1], ${MAX_SHOWN_BYTES})`);
  const hgetall = client.hgetall.bind(client);
  client.hgetall = async (key: string) => (isEntry(key) ? toObject(await readHash([key], [])) : await hgetall(key));
  return client;
}

/** Other hashes are ours, such as records, or BullMQ's, and of a sane size. */
function isEntry(key: string): boolean {
  return Object.values(QUEUE_NAMES).some((name) => key.includes(`:${name}:`) && !key.endsWith(`:${name}:meta`));
}

function toObject(flat: unknown): Record<string, string> {
  const fields = asArray(flat);
  return Object.fromEntries(
    fields.flatMap((name, at) => (at % 2 === 0 ? [[String(name), String(fields[at + 1])]] : [])),
  );
}
