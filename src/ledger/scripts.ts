import { ACCOUNT_HOLD_LUA } from '../accounts/account-hold.ts';
import { LINE_KEPT_MS } from '../core/callback-schedule.ts';
import { FACT_NAMES } from '../core/learned-facts.ts';
import { DAY_MS } from '../core/units.ts';
import { IS_NEWCOMER_LUA, NOTE_DIRECT_POST_LUA } from '../limits/caps.ts';
import { FACTS_LUA } from '../limits/facts.ts';
import { LEAVE_LANE_LUA } from '../limits/lanes.ts';
import { RESERVATION_LATE_MS, RESERVE_LUA } from '../limits/reservations.ts';
import { SERVER_TIME } from '../redis/lua-script.ts';
import { TIMELINE_LUA } from './timeline.ts';

/**
 * Lua scripts of the ledger. All keys of one call share the queue's hash tag. `key` and `arg` are what the caller in
 * ledger.ts passes by name, and from `ARGV[2]` on come the fields to set with their values; JSON that is stored comes
 * encoded.
 */

/**
 * How long a publish_id or post finds its job. It is removed with the job, so this only ends what a publish_id leaves that
 * another one of its job has replaced.
 */
export const TIKTOK_ID_KEPT_MS = 400 * DAY_MS;

/** The stream of events keeps the last ones. */
const MAX_EVENTS = 100_000;

/** Adds an event to the stream, and to the outbox if the job has a callback. */
export const ADD_EVENT = `
local function addEvent(id, revision, event, outbox, undelivered)
  redis.call('XADD', key.events, 'MAXLEN', '~', ${MAX_EVENTS}, '*', 'event', event)
  if not outbox then return end
  local eventId = id .. '-' .. revision .. '-1'
  redis.call('XADD', outbox, '*', 'id', eventId, 'event', event)
  redis.call('ZADD', undelivered, revision, eventId)
  redis.call('PEXPIRE', undelivered, ${LINE_KEPT_MS})
end
`;

/** Moves a job from one index of a kind to another: '' is none, and without `after` it stays. */
const REFILE = `
local function refile(index, before, after, createdAt)
  if not after or after == before then return end
  if before ~= '' then redis.call('ZREM', key.jobIndex .. index .. before, arg.id) end
  if after ~= '' then redis.call('ZADD', key.jobIndex .. index .. after, createdAt, arg.id) end
end
local function refileTime(index, at)
  if not at then return end
  if at == '' then redis.call('ZREM', key.jobIndex .. index, arg.id)
  else redis.call('ZADD', key.jobIndex .. index, at, arg.id) end
end
`;

/**
 * `claim(id, run, start, stallsSoFar)` for scripts: makes the caller the owner: changes the fence, and answers the ledger's version, the
 * record, and its surroundings.
 *
 * With `key.statusCallsPrefix` it also books a status call for a job that is polled, of `arg.limit` in `arg.windowMs`; one
 * that may be made at once is a poll, which is counted here, and after which the sweep looks at the job `arg.dueInMs`
 * later.
 *
 * How often the entry stalled counts from where the record, or the number of accepted bytes, last changed.
 *
 * A start that is not newer than the last one of the same queue entry (`run`) comes from a process that slept through a
 * takeover: it is refused. A call that is sent again after a lost reply changes nothing, and books nothing; its answer
 * no longer tells of what the first one booked and counted.
 */
export const CLAIM_LUA = `${ACCOUNT_HOLD_LUA}${FACTS_LUA}${IS_NEWCOMER_LUA}${RESERVE_LUA}
local function claim(id, run, start, stallsSoFar)
  local job = key.jobPrefix .. id
  local version = redis.call('HMGET', key.version, 'id', 'count')
  local record, known = redis.call('HGETALL', job), {}
  for place = 1, #record, 2 do known[record[place]] = record[place + 1] end
  if not known.revision then return { 'missing', version } end
  local account, isSentAgain = known.account, known.lastCall == arg.call
  local place = known.revision .. '/' .. (known.acceptedBytes or 0)
  local stalls = known.run == run and known.stalledAt == place and stallsSoFar - known.stallsBefore or 0
  if not isSentAgain and known.run == run and tonumber(known.start) >= tonumber(start) then return { 'overtaken', version } end
  -- A job that is polled has left its lane and is past the cap; a status call is booked for it.
  local isPolled = key.statusCallsPrefix and known.state == 'processing'
  local hasTurn = not isPolled and redis.call('ZSCORE', key.laneAdmittedPrefix .. account, id)
    and not accountHold(key.accountPrefix .. account, key.publishingPause)
  local isBooked = known.bookedSlot and cjson.decode(known.bookedSlot).at + ${RESERVATION_LATE_MS} >= arg.now
  local mayAsk = isPolled and not isBooked and not isSentAgain
    and reserve(key.statusCallsPrefix .. account, arg.limit, arg.windowMs)
  local isPoll = mayAsk and mayAsk[1] == 0
  if not isSentAgain then
    local set = { 'run', run, 'start', start, 'lastCall', arg.call, 'fence', arg.newFence,
      'stalledAt', place, 'stallsBefore', stallsSoFar - stalls }
    if isPoll then
      set[#set + 1] = 'pollCount'
      set[#set + 1] = (known.pollCount or 0) + 1
    end
    redis.call('HSET', job, unpack(set))
    for _, each in ipairs(set) do record[#record + 1] = each end
  end
  if isPoll then redis.call('ZADD', key.due, serverTime() + arg.dueInMs, id) end
  local facts = factsOf(key.facts, account)
  return { 'claimed', version, record, {
    hasTurn and 1 or 0,
    redis.call('SCARD', key.polledJobsPrefix .. account),
    redis.call('EXISTS', key.webhooksArrive),
    not isPolled and isNewcomer(facts[${FACT_NAMES.indexOf('activeCreatorCap') + 1}], key.activeUsers, account, arg.now) and 1 or 0,
    mayAsk and mayAsk[1] or false,
    isPoll and 1 or 0,
    facts,
    stalls,
  } }
end
`;

/**
 * The one way a record changes.
 *
 * The change was decided on a record with `fence` and `revision`; with `orLater`, as for an owner, a later revision is
 * as good. Without `to` the state stays, without `newFence` the owner. `key.publishId` is the index entry of a new
 * publish_id. A call that is sent again after a lost reply changes nothing.
 * `key.laneDelay` is removed, unless jobs of the other mode than `arg.mode` wait for their cap, and a post counted for the
 * caps with `key.directPosts`, when TikTok let the post begin. With
 * `key.booked` the change needs a call of a quota, `arg.limit` in `arg.windowMs`. With `key.operation` it is made, and counted as
 * `arg.way`, only while the job is among those that the operation has still to change: so once. With `key.lanes` the job leaves its lane, and
 * with `addEntry` it gets an entry in the queue `key.queue`; without the entry, the record changes all the same.
 * Answers `committed` with revision, fence, since when the job is in its state, whom to wake and whether there is the entry, `missing`, `overtaken`
 * (another fence), `changed` (another revision; for an owner, an older one: the record went back in time), or `wait` with
 * the time until the call that was booked instead of the change (ms).
 */
export const COMMIT_SCRIPT = `${ADD_EVENT}${TIMELINE_LUA}${REFILE}${RESERVE_LUA}${NOTE_DIRECT_POST_LUA}${LEAVE_LANE_LUA}
local state, fence, createdAt, lastCall, seenRevision, since, waitingFor, failure, timeline = unpack(redis.call(
  'HMGET', key.job, 'state', 'fence', 'createdAt', 'lastCall', 'revision', 'stateSince', 'waitingFor', 'failure', 'timeline'))
if not state then return { 'missing' } end
local function leave()
  if not key.lanes then return {} end
  return leaveLane(key.laneWaiting, key.laneAdmitted, key.lanes, key.laneLimit, key.jobs, arg.account, arg.id, arg.now)
end
local function enter() return addEntry and pcall(addEntry, arg.id, unpack(arg.entry)) and 1 or 0 end
if lastCall == arg.call then return { 'committed', tonumber(seenRevision), tonumber(fence), since, leave(), enter() } end
if fence ~= arg.fence then return { 'overtaken' } end
if tonumber(seenRevision) < tonumber(arg.revision) then return { 'changed' } end
if not arg.orLater and seenRevision ~= arg.revision then return { 'changed' } end
local waitMs = key.booked and reserve(key.booked, arg.limit, arg.windowMs)[1] or 0
if waitMs > 0 then return { 'wait', waitMs } end
if key.operation then
  if redis.call('ZREM', key.operationJobs, arg.id) == 0 then return { 'changed' } end
  redis.call('HINCRBY', key.operation, arg.way, 1)
end
local now = serverTime()
local revision = (arg.goesOnFrom or tonumber(seenRevision)) + 1
local isNewState = arg.to and arg.to ~= state
fence = arg.newFence or fence
since = isNewState and now or since
local set = { 'revision', revision, 'updatedAt', arg.now, 'lastCall', arg.call, 'fence', fence, unpack(ARGV, 2) }
for _, each in ipairs(isNewState and { 'state', arg.to, 'stateSince', now } or {}) do set[#set + 1] = each end
local longer = withFacts(timeline)
if longer then set[#set + 1] = 'timeline'; set[#set + 1] = longer end
redis.call('HSET', key.job, unpack(set))
if #arg.remove > 0 then redis.call('HDEL', key.job, unpack(arg.remove)) end
if isNewState then
  refile('state:', state, arg.to, createdAt)
  if arg.to == 'processing' then redis.call('SADD', key.polledJobs, arg.id) end
  if state == 'processing' then redis.call('SREM', key.polledJobs, arg.id) end
end
refile('waiting:', waitingFor or '', arg.waitingFor, createdAt)
refile('code:', failure and cjson.decode(failure).code or '', arg.code, createdAt)
refileTime('ended', arg.endedAt)
refileTime('scheduled', arg.scheduledAt)
for _, postId in ipairs(arg.postIds or {}) do redis.call('SET', key.postId .. postId, arg.id, 'PX', ${TIKTOK_ID_KEPT_MS}) end
if key.publishId then redis.call('SET', key.publishId, arg.id, 'PX', ${TIKTOK_ID_KEPT_MS}) end
redis.call('ZADD', key.due, now + arg.dueInMs, arg.id)
if arg.event then
  addEvent(arg.id, revision, string.gsub(arg.event, arg.revisionMark, revision, 1), key.outbox, key.undelivered)
end
-- Last, and without an error: these only help to choose when to try again.
if key.laneDelay then
  local reason = redis.pcall('HGET', key.laneDelay, 'reason')
  local held = MODE_OF_CAP[reason]
  if reason and (not held or held == arg.mode) then redis.pcall('DEL', key.laneDelay) end
end
if key.directPosts then
  noteDirectPost(key.directPosts, key.activeUsers, arg.account, tonumber(arg.now), key.facts, key.letIn)
end
return { 'committed', revision, tonumber(fence), since, leave(), enter() }
`;

/** Notes an owner's progress: proves the fence, sets fields, and when it is due unless that stays. Makes no history. */
export const NOTE_SCRIPT = `${SERVER_TIME}
if redis.call('HGET', key.job, 'fence') ~= arg.fence then return 'overtaken' end
if #ARGV > 1 then redis.call('HSET', key.job, unpack(ARGV, 2)) end
if arg.dueInMs then redis.call('ZADD', key.due, serverTime() + arg.dueInMs, arg.id) end
return 'held'
`;

/**
 * Notes that TikTok reported something of a job, which proves nothing and makes no history. Answers the record, if the
 * publish_id that it is about is still the job's.
 */
export const NOTE_REPORT_SCRIPT = `
if redis.call('HGET', key.job, 'publishId') ~= arg.publishId then return {} end
redis.call('HSET', key.job, 'toldAt', arg.now)
return redis.call('HGETALL', key.job)
`;

/** Deletes what is left of a job whose retention is over, unless its record changed since it was judged. */
export const FORGET_SCRIPT = `
local revision = redis.call('HGET', key.job, 'revision')
if revision and revision ~= arg.revision then return 0 end
for _, name in ipairs(arg.pointers) do
  if redis.call('GET', key.start .. name) == arg.id then redis.call('DEL', key.start .. name) end
end
redis.call('DEL', key.job, key.timeline)
for _, name in ipairs(arg.indexes) do redis.call('ZREM', key.jobIndex .. name, arg.id) end
for _, name in ipairs({ 'due', 'allJobs', 'laneWaiting', 'laneAdmitted' }) do redis.call('ZREM', key[name], arg.id) end
return 1
`;
