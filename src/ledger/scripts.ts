import { DAY_MS } from '../core/units.ts';
import { ADMIT_OR_WAIT } from '../lanes/lane-scripts.ts';

/**
 * Lua scripts of the ledger. All keys of one call share the queue's hash tag.
 *
 * Common to all: KEYS[1] job hash, KEYS[2] timeline, KEYS[3] due set, KEYS[4] events stream.
 *
 * Where events are appended, the last of ARGV counts the keys of the job's callback: none, or the last two of KEYS,
 * which are the outbox of callbacks and the job's events that are not delivered yet.
 */

const TIMELINE_LENGTH = 300;

/** How long TikTok's reports about a publish_id find its job: a day until the outcome, three days of watch, and some. */
const PUBLISH_ID_KEPT_MS = 7 * DAY_MS;

/** The order of a job's deliveries matters only while they are tried, which is far shorter. */
const UNDELIVERED_KEPT_MS = 30 * DAY_MS;

/** Appends timeline entries and events; ARGV from `at`: count, entries…, count, (type, body)…; needs id, revision. */
const APPEND = `
local callbackKeys = tonumber(ARGV[#ARGV])
local ownKeys = #KEYS - callbackKeys
local function append(at, id, revision, maxEvents)
  local timelineCount = tonumber(ARGV[at])
  for i = 1, timelineCount do redis.call('RPUSH', KEYS[2], ARGV[at + i]) end
  if timelineCount > 0 then redis.call('LTRIM', KEYS[2], -${TIMELINE_LENGTH}, -1) end
  at = at + timelineCount + 1
  local eventCount = tonumber(ARGV[at])
  for i = 1, eventCount do
    local eventId = id .. '-' .. revision .. '-' .. i
    local event = '{"specversion":"1.0","id":"' .. eventId .. '",' .. ARGV[at + i]
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', maxEvents, '*', 'subject', id, 'event', event)
    if callbackKeys > 0 then
      redis.call('XADD', KEYS[ownKeys + 1], '*', 'id', eventId, 'subject', id, 'event', event)
      redis.call('ZADD', KEYS[ownKeys + 2], revision, eventId)
      redis.call('PEXPIRE', KEYS[ownKeys + 2], ${UNDELIVERED_KEPT_MS})
    end
  end
end
`;

/**
 * Redis's time (ms). A record's age and when the sweep looks at it go by this one clock: who writes it may be on a
 * machine whose clock is a month off, and must neither have it forgotten early nor hide it from the sweep.
 */
export const SERVER_TIME = `
local function serverTime()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/**
 * Makes a record unless the id or the idempotency key is taken, and lets it enter its account's lane.
 *
 * KEYS[5] all jobs, KEYS[6] the account's jobs, KEYS[7] the state's jobs, KEYS[8] waiting and KEYS[9] admitted jobs of
 * the lane, KEYS[10] lanes in use, KEYS[11] lane limit, KEYS[12] (optional) idempotency entry.
 * ARGV: id, createdAt, dueAt, maxEvents, account, place in the lane ('' for a job that does not enter yet),
 * field count, fields…, timeline and events as above, number of callback keys.
 * Answers `created` and whether it was admitted or waits, or `exists` with the id that was there first.
 */
export const CREATE_SCRIPT = `${APPEND}${ADMIT_OR_WAIT}${SERVER_TIME}
local id = ARGV[1]
if ownKeys >= 12 then
  local known = redis.call('GET', KEYS[12])
  if known then
    -- Somebody else relies on it from here on, so whoever made it can no longer take it back as if nobody knew of it.
    local job = string.sub(KEYS[1], 1, -#id - 1) .. known
    if redis.call('HGET', job, 'revision') == '1' then redis.call('HINCRBY', job, 'revision', 1) end
    return { 'exists', known }
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'exists', id } end
local count = tonumber(ARGV[7])
redis.call('HSET', KEYS[1], 'stateSince', serverTime(), unpack(ARGV, 8, 7 + count))
redis.call('ZADD', KEYS[3], ARGV[3], id)
redis.call('ZADD', KEYS[5], ARGV[2], id)
redis.call('ZADD', KEYS[6], ARGV[2], id)
redis.call('ZADD', KEYS[7], ARGV[2], id)
if ownKeys >= 12 then redis.call('SET', KEYS[12], id) end
append(8 + count, id, 1, ARGV[4])
if ARGV[6] == '' then return { 'created', id, 'admitted' } end
local where = admitOrWait(KEYS[8], KEYS[9], KEYS[10], KEYS[11], ARGV[5], id, ARGV[6], ARGV[2])
if where == 'waiting' then redis.call('HSET', KEYS[1], 'waitingFor', 'slot') end
return { 'created', id, where }
`;

/**
 * Makes the caller the owner: changes the fence and answers the record.
 *
 * ARGV: run (which queue entry), start (how often that entry was started), call, new fence. A start that is not newer than the
 * last one of the same entry comes from a process that slept through a takeover: it is refused. A call that is sent
 * again after a lost reply changes nothing.
 */
export const CLAIM_SCRIPT = `
local seen = redis.call('HMGET', KEYS[1], 'revision', 'run', 'start', 'lastCall')
if not seen[1] then return { 'missing' } end
if seen[4] == ARGV[3] then return { 'claimed', redis.call('HGETALL', KEYS[1]) } end
if seen[2] == ARGV[1] and tonumber(seen[3]) >= tonumber(ARGV[2]) then return { 'overtaken' } end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'start', ARGV[2], 'lastCall', ARGV[3], 'fence', ARGV[4])
return { 'claimed', redis.call('HGETALL', KEYS[1]) }
`;

/**
 * The one way a record changes.
 *
 * KEYS[5] prefix of the state indexes, KEYS[6] the account's polled jobs, KEYS[7] (optional) index entry of a new
 * publish_id. ARGV: id, call, fence of the record that the change was decided on, its
 * revision (with `+` behind it for an owner's change: or a later one), new state ('' to stay), now, in how long it is due
 * (ms), new fence ('' to keep it), maxEvents, set count, fields…, remove count, fields…, timeline and events as above,
 * number of callback keys.
 * A call that is sent again after a lost reply changes nothing.
 * Answers `committed` with revision, fence and since when the job is in its state, `missing`, `overtaken` (another fence)
 * or `changed` (another revision; for an owner, an older one: the record went back in time).
 */
export const COMMIT_SCRIPT = `${APPEND}${SERVER_TIME}
local id = ARGV[1]
local seen = redis.call('HMGET', KEYS[1], 'state', 'fence', 'createdAt', 'lastCall', 'revision')
local state = seen[1]
if not state then return { 'missing' } end
local since = redis.call('HGET', KEYS[1], 'stateSince')
if seen[4] == ARGV[2] then return { 'committed', tonumber(seen[5]), tonumber(seen[2]), since } end
if seen[2] ~= ARGV[3] then return { 'overtaken' } end
local wanted, orLater = string.match(ARGV[4], '^(%d+)(%+?)$')
if tonumber(seen[5]) < tonumber(wanted) then return { 'changed' } end
if orLater == '' and seen[5] ~= wanted then return { 'changed' } end
local setCount = tonumber(ARGV[10])
if setCount > 0 then redis.call('HSET', KEYS[1], unpack(ARGV, 11, 10 + setCount)) end
local at = 11 + setCount
local removeCount = tonumber(ARGV[at])
if removeCount > 0 then redis.call('HDEL', KEYS[1], unpack(ARGV, at + 1, at + removeCount)) end
redis.call('HSET', KEYS[1], 'updatedAt', ARGV[6], 'lastCall', ARGV[2])
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[1], 'fence', ARGV[8])
  seen[2] = ARGV[8]
end
if ARGV[5] ~= '' and ARGV[5] ~= state then
  since = serverTime()
  redis.call('HSET', KEYS[1], 'state', ARGV[5], 'stateSince', since)
  redis.call('ZREM', KEYS[5] .. state, id)
  redis.call('ZADD', KEYS[5] .. ARGV[5], seen[3], id)
  if ARGV[5] == 'processing' then redis.call('SADD', KEYS[6], id) else redis.call('SREM', KEYS[6], id) end
end
if ownKeys >= 7 then redis.call('SET', KEYS[7], id, 'PX', ${PUBLISH_ID_KEPT_MS}) end
redis.call('ZADD', KEYS[3], serverTime() + ARGV[7], id)
append(at + removeCount + 1, id, revision, ARGV[9])
return { 'committed', revision, tonumber(seen[2]), since }
`;

/**
 * Notes an owner's progress: proves the fence, sets fields. Makes no history.
 *
 * KEYS[1] job hash, KEYS[2] due set. ARGV: id, fence, in how long it is due (ms, '' to leave it), fields….
 */
export const NOTE_SCRIPT = `${SERVER_TIME}
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then return 'overtaken' end
if #ARGV > 3 then redis.call('HSET', KEYS[1], unpack(ARGV, 4)) end
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], serverTime() + ARGV[3], ARGV[1]) end
return 'held'
`;

/**
 * Notes that TikTok reported something of a job, which proves nothing and makes no history. Answers the record.
 *
 * ARGV: the publish_id it is about, which must still be the job's; when (ms since the epoch).
 */
export const TELL_SCRIPT = `
if redis.call('HGET', KEYS[1], 'publishId') ~= ARGV[1] then return {} end
redis.call('HSET', KEYS[1], 'toldAt', ARGV[2])
return redis.call('HGETALL', KEYS[1])
`;

/**
 * Deletes what is left of a job whose retention is over.
 *
 * KEYS[5] all jobs, KEYS[6] the account's jobs, KEYS[7] the state's jobs, KEYS[8] waiting and KEYS[9] admitted jobs of
 * the lane, KEYS[10…] entries that point to the job: its idempotency key, its publish_id.
 * ARGV: id, revision that was judged. A record that changed since is kept.
 */
export const FORGET_SCRIPT = `
local revision = redis.call('HGET', KEYS[1], 'revision')
if revision and revision ~= ARGV[2] then return 0 end
for i = 10, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end
end
redis.call('DEL', KEYS[1], KEYS[2])
for i = 5, 9 do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`;
