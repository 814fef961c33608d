import { ACCOUNT_HOLD_LUA, HOLD_FIELDS_LUA } from '../accounts/account-hold.ts';
import { type EntryScript, publishEntryOf } from '../core/job-reference.ts';
import { encodeEvent } from '../core/publish-event.ts';
import { parseWaitReason } from '../core/publish-state.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import { HOUR_MS, SECOND_MS } from '../core/units.ts';
import { ADMIT_OR_WAIT, AWAITING_TURN_MS, laneScore } from '../limits/lanes.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, keyTable, prepareScript, type RedisClient, SERVER_TIME } from '../redis/lua-script.ts';
import { type Created, type EntryToAdd, NEW_RECORD } from './change.ts';
import { encodePatch } from './encode-patch.ts';
import { metadataPlaces } from './index-names.ts';
import { jobEvent, laneMemberOf } from './job-view.ts';
import type { LedgerRecord } from './record.ts';
import { ADD_EVENT } from './scripts.ts';
import { sweepAt } from './sweep-list.ts';
import { firstOfTimeline } from './timeline.ts';

/** After how long the sweep looks at a new job without an entry, whose enqueuer may have died before it reached the queue. */
export const SWEEP_NEW_AFTER_MS = 15 * SECOND_MS;
/** The same for one that was made together with its entry. */
const SWEEP_ENTERED_AFTER_MS = HOUR_MS;
/** How many jobs one call of the script makes: a millisecond or two, in which Redis does nothing else. */
const MOST_AT_ONCE = 50;

/**
 * Makes records, each unless its id or idempotency key is taken, and lets each enter its account's lane; one without a
 * place in the lane does not enter yet. With `addEntry` it also adds the entry of each, which sleeps while the job waits in
 * the lane, or its account or all publishing is held back; without the entry, the job is made all the same.
 *
 * `ARGV` holds, for each job, the number of its values, and the values in the order of `create`. Answers for each
 * `created` with what it waits for, if it does, whether its entry was added, and until when all publishing is paused, `exists` with the id that was there
 * first, `alias` with the account's own name if the account goes by its open_id, or the error. On a server that refuses all
 * writes because others have replaced it, the whole call fails, before it has made anything.
 */
const CREATE_SCRIPT = `${ACCOUNT_HOLD_LUA}${ADD_EVENT}${ADMIT_OR_WAIT}${SERVER_TIME}
local now = serverTime()
local function create(first, last)
  local id, account, state, createdAt, dueAt, place, digest, outbox, media, scheduledAt, metadata, event, fields =
    unpack(ARGV, first, first + 12)
  local job = key.job .. id
  local idempotency = digest ~= '' and key.idempotency .. digest
  local known = idempotency and redis.call('GET', idempotency)
  if known then
    -- From here on a second caller relies on it, so the first one can no longer take it back.
    if redis.call('HGET', key.job .. known, 'revision') == '1' then redis.call('HINCRBY', key.job .. known, 'revision', 1) end
    return { 'exists', known }
  end
  local name, paused, dead = unpack(redis.call('HMGET', key.account .. account, 'aliasOf', ${HOLD_FIELDS_LUA}))
  if name then return { 'alias', name } end
  -- Both at once, since neither is there as a rule.
  local there = redis.call('EXISTS', job, key.publishingPause)
  if there > 0 and redis.call('EXISTS', job) == 1 then return { 'exists', id } end
  local hold = holdOf(there > 0, paused, dead)
  local entry = first + 13 + fields
  redis.call('HSET', job, 'stateSince', now, 'revision', ${NEW_RECORD.revision}, 'fence', ${NEW_RECORD.fence},
    unpack(ARGV, first + 13, entry - 1))
  redis.call('ZADD', key.allJobs, createdAt, id)
  redis.call('ZADD', key.jobIndex .. 'account:' .. account, createdAt, id)
  redis.call('ZADD', key.jobIndex .. 'state:' .. state, createdAt, id)
  redis.call('ZADD', key.jobIndex .. 'media:' .. media, createdAt, id)
  if scheduledAt ~= '' then redis.call('ZADD', key.jobIndex .. 'scheduled', scheduledAt, id) end
  for _, place in ipairs(metadata ~= '' and cjson.decode(metadata) or {}) do
    if redis.call('SISMEMBER', key.metadataIndex, place[1]) == 1 then
      redis.call('ZADD', key.jobIndex .. place[2], createdAt, id)
    end
  end
  if idempotency then redis.call('SET', idempotency, id) end
  addEvent(id, 1, event, outbox ~= '' and key.outbox, key.undelivered .. id)
  local where = 'admitted'
  if place ~= '' then
    where = admitOrWait(
      key.laneWaiting .. account, key.laneAdmitted .. account, key.lanes, key.laneLimit, key.job, account, id, place,
      createdAt)
  end
  -- As a worker would find it, which need not fetch it before it may begin.
  local waitingFor = where == 'waiting' and 'turn' or place ~= '' and hold
  if waitingFor then
    redis.call('HSET', job, 'waitingFor', waitingFor)
    redis.call('ZADD', key.jobIndex .. 'waiting:' .. waitingFor, createdAt, id)
  end
  local delay = waitingFor and ${AWAITING_TURN_MS} or ARGV[entry]
  local isEntered = entry <= last and pcall(addEntry, id, delay, unpack(ARGV, entry + 1, last))
  redis.call('ZADD', key.due, isEntered and dueAt or math.min(dueAt, createdAt + ${SWEEP_NEW_AFTER_MS}), id)
  local pause = waitingFor and there > 0 and cjson.decode(redis.call('GET', key.publishingPause)) or {}
  return { 'created', waitingFor and (hold or waitingFor) or '', isEntered and 1 or 0, pause['until'] }
end
local answers, at = {}, 1
while ARGV[at] do
  local last = at + ARGV[at]
  local done, answer = pcall(create, at + 1, last)
  -- Such a server takes no job at all: as the error of the whole call it makes the client look for the one that serves.
  local refusal = not done and (type(answer) == 'table' and answer.err or answer) or ''
  if refusal:find('READONLY', 1, true) or refusal:find('NOREPLICAS', 1, true) then error('-' .. refusal, 0) end
  answers[#answers + 1] = type(answer) == 'table' and answer or { err = answer }
  at = last + 1
end
return answers
`;

interface Call {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes the call by which records come to be. Calls of the same moment share round trips. */
export function prepareCreate({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  const createKeys = {
    ...{ job: keys.job(''), idempotency: keys.idempotency(''), account: keys.account('') },
    ...{ due: keys.due, allJobs: keys.allJobs, jobIndex: keys.jobIndex(''), metadataIndex: keys.metadataIndex },
    ...{ laneWaiting: keys.laneWaiting(''), laneAdmitted: keys.laneAdmitted('') },
    ...{ lanes: keys.lanes, laneLimit: keys.laneLimit, publishingPause: keys.publishingPause },
    ...{ events: keys.events, outbox: keys.callbackOutbox, undelivered: keys.undeliveredEvents('') },
  };

  function prepare(script?: EntryScript) {
    // Only their start is sent with each call: there are many, and all of one installation have it in common.
    const table = keyTable(keys.start, { ...createKeys, queue: script?.queueKey ?? keys.start });
    const lua = `local start = KEYS[1]\nlocal key = ${table}\n${script?.lua ?? 'local addEntry'}\n${CREATE_SCRIPT}`;
    const run = prepareScript(redis, lua);
    let calls: Call[] = [];
    let values: string[] = [];

    /** Sends what was gathered. Each learns of its own error; the others are made. */
    async function send(): Promise<void> {
      const sent = calls;
      if (sent.length === 0) return;
      calls = [];
      const running = run([keys.start], values);
      values = [];
      try {
        const answers = asArray(await running);
        for (const [index, { resolve, reject }] of sent.entries()) {
          const answer = answers[index];
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of sent) reject(error);
      }
    }

    return (record: LedgerRecord, cause: TimelineFact, entry?: EntryToAdd): Promise<unknown> =>
      new Promise((resolve, reject) => {
        addValues(values, record, cause, entry);
        calls.push({ resolve, reject });
        if (calls.length === 1) void Promise.resolve().then(send);
        if (calls.length === MOST_AT_ONCE) void send();
      });
  }

  /** Adds what the script takes for one job. */
  function addValues(values: string[], record: LedgerRecord, cause: TimelineFact, entry: EntryToAdd | undefined): void {
    const { id, account, state, createdAt, scheduledAt, idempotencyDigest, request } = record;
    const fields = encodePatch(record, { ...NEW_RECORD, id, updatedAt: createdAt }).set;
    const timeline = firstOfTimeline(record, cause);
    const entryValues = entry?.script.argumentsOf(publishEntryOf(record, entry.delayMs)) ?? [];
    const metadata = metadataPlaces(record).map(({ metadataKey, name }) => [metadataKey, name]);
    values.push(
      String(13 + fields.length + timeline.length + entryValues.length),
      id,
      account,
      state,
      String(createdAt),
      String(sweepAt(record, scheduledAt ?? createdAt + SWEEP_ENTERED_AFTER_MS)),
      state === 'queued' ? String(laneScore(laneMemberOf(record))) : '',
      idempotencyDigest ?? '',
      request.callbackUrl === undefined ? '' : 'outbox',
      request.media.type,
      String(scheduledAt ?? ''),
      metadata.length === 0 ? '' : JSON.stringify(metadata),
      encodeEvent(jobEvent('publish.queued', record, '1')),
      String(fields.length + timeline.length),
      ...fields,
      ...timeline,
      ...entryValues,
    );
  }

  const createAlone = prepare();
  const createWithEntry = new Map<EntryScript, ReturnType<typeof prepare>>();

  /**
   * Makes a record with its first event and, unless it is scheduled, lets it enter its account's lane. One whose account
   * goes by its open_id is made under the account's own name, so that its jobs share one lane and one quota.
   * @returns the record as made, the id that holds the id or idempotency key, and what the new job waits for
   */
  return async function create(record: LedgerRecord, cause: TimelineFact, entry?: EntryToAdd): Promise<Created> {
    if (entry !== undefined && !createWithEntry.has(entry.script)) {
      createWithEntry.set(entry.script, prepare(entry.script));
    }
    const run = (entry && createWithEntry.get(entry.script)) ?? createAlone;
    const [outcome, found, isEntered, until] = asArray(await run(record, cause, entry));
    if (outcome === 'alias') return await create({ ...record, account: String(found) }, cause, entry);
    if (outcome === 'created') {
      const waitingFor = parseWaitReason(String(found));
      const waitingUntil = typeof until === 'string' ? Date.parse(until) : undefined;
      const wait = waitingFor && { waitingFor, waitingUntil };
      return { record, created: true, id: record.id, wait, isEntered: isEntered === 1 };
    }
    // An id of our own that exists already is our own call, sent again after a lost reply.
    const id = String(found);
    return { record, created: id === record.id, id, wait: undefined, isEntered: entry !== undefined };
  };
}
