import { z } from 'zod';
import { ACCOUNT_HOLD_LUA } from '../accounts/account-hold.ts';
import type { Clock } from '../core/ports.ts';
import { HOLD_REASONS, LANE_REASONS, MODE_OF_CAP, WAIT_REASONS, type WaitReason } from '../core/publish-state.ts';
import { DAY_MS, SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { luaSetOf, prepareScript, type RedisClient } from '../redis/lua-script.ts';

/** One upload per account at a time, until a service has published another limit. */
const DEFAULT_LANE_LIMIT = 1;

/**
 * Lua of the lanes. KEYS of each: waiting set, admitted set, the account's hash, set of lanes in use, the lane limit, how
 * the keys of records begin.
 *
 * The waiting set is ordered by priority, then age; the admitted set by the time of admission. A job that waits for a cap
 * of its mode keeps its turn, and jobs of the other mode pass it.
 */

/** How many jobs are looked through for one that may pass those ahead of it. */
const MOST_PASSED = 500;

/**
 * `laneRoom` answers how many jobs more may be admitted, and of which modes none; nothing if the one that asks is.
 * `mayPass` answers whether a job is of another mode than those, `nextInLane` who comes next.
 * `jobs` is how the keys of records begin.
 */
const LANE_ROOM = `
local MODE_OF_CAP = { ${Object.entries(MODE_OF_CAP)
  .map(([reason, mode]) => `${reason} = '${mode}'`)
  .join(', ')} }
local laneLimit
local function laneRoom(admitted, limit, jobs, asking)
  laneLimit = laneLimit or tonumber(redis.call('GET', limit) or '') or ${DEFAULT_LANE_LIMIT}
  local free, held = laneLimit, {}
  for _, id in ipairs(redis.call('ZRANGE', admitted, 0, -1)) do
    if id == asking then return end
    local mode = MODE_OF_CAP[redis.call('HGET', jobs .. id, 'waitingFor') or '']
    if mode then held[mode] = true else free = free - 1 end
  end
  return free, held
end
local function mayPass(id, held, jobs) return not (next(held) and held[redis.call('HGET', jobs .. id, 'mode') or '']) end
local function nextInLane(waiting, held, jobs)
  for _, id in ipairs(redis.call('ZRANGE', waiting, 0, next(held) and ${MOST_PASSED - 1} or 0)) do
    if mayPass(id, held, jobs) then return id end
  end
end
`;

/** Admits a job where there is room, else lets it wait. Needs keys of waiting and admitted jobs, lanes, the limit and jobs. */
export const ADMIT_OR_WAIT = `${LANE_ROOM}
local function admitOrWait(waiting, admitted, lanes, limit, jobs, account, id, score, now)
  local free, held = laneRoom(admitted, limit, jobs, id)
  if not free then return 'admitted' end
  if free > 0 and mayPass(id, held, jobs) then
    local first = nextInLane(waiting, held, jobs)
    if not first or first == id then
      -- Where nobody waits, it does not either; behind many of a held mode, it may.
      if first or next(held) then redis.call('ZREM', waiting, id) end
      redis.call('ZADD', admitted, now, id)
      return 'admitted'
    end
  end
  redis.call('ZADD', waiting, score, id)
  redis.call('ZADD', lanes, 'NX', now, account)
  return 'waiting'
end
`;

/** ARGV: account, id, score, now. Answers `admitted`, `waiting`, or what holds the job back. */
const ENTER_LUA = `${ADMIT_OR_WAIT}
${ACCOUNT_HOLD_LUA}
local where = admitOrWait(KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[6], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if where == 'waiting' then return where end
return accountHold(KEYS[3], KEYS[7]) or where
`;

/**
 * `leaveLane(waiting, admitted, lanes, limit, jobs, account, id, now)` for scripts, `id` being '' for nobody. Returns the ids
 * that have to be woken: those admitted in its place, and all admitted ones if it had left before, since the process that
 * removed it may have died before waking them.
 */
export const LEAVE_LANE_LUA = `${LANE_ROOM}
local function leaveLane(waiting, admitted, lanes, limit, jobs, account, id, now)
  local isUsed = redis.call('EXISTS', waiting) == 1
  local waited = isUsed and redis.call('ZREM', waiting, id) == 1
  local hadLeft = redis.call('ZREM', admitted, id) == 0 and not waited and id ~= ''
  local woken = hadLeft and redis.call('ZRANGE', admitted, 0, -1) or {}
  if not isUsed then
    redis.call('ZREM', lanes, account)
    return woken
  end
  local free, held = laneRoom(admitted, limit, jobs)
  while free > 0 do
    local first = nextInLane(waiting, held, jobs)
    if not first then break end
    redis.call('ZREM', waiting, first)
    redis.call('ZADD', admitted, now, first)
    woken[#woken + 1] = first
    free = free - 1
  end
  if redis.call('EXISTS', waiting) == 0 then redis.call('ZREM', lanes, account) end
  return woken
end
`;

const LEAVE_LUA = `${LEAVE_LANE_LUA}
return leaveLane(KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[6], ARGV[1], ARGV[2], ARGV[3])
`;

/**
 * KEYS: set of lanes in use, the lane limit, how the keys of records, waiting sets, admitted sets and accounts begin, the
 * pause of all publishing, how the keys of delays begin, held accounts, which it notes too. ARGV: now, until when a lane was last checked to be due, and how many.
 *
 * Answers the accounts whose lanes need a look: with room for a job that waits, or with a job in them that has gone on or that
 * sleeps although nothing holds it.
 */
const CHECK_LUA = `${LANE_ROOM}${ACCOUNT_HOLD_LUA}
local WOKEN = ${luaSetOf(LANE_REASONS)}
local function needsLook(account)
  local admitted = KEYS[5] .. account
  for _, id in ipairs(redis.call('ZRANGE', admitted, 0, -1)) do
    local state, waitingFor, waitingUntil = unpack(redis.call('HMGET', KEYS[3] .. id, 'state', 'waitingFor', 'waitingUntil'))
    if state ~= 'queued' and state ~= 'uploading' then return true end
    if WOKEN[waitingFor or ''] and not waitingUntil and not accountHold(KEYS[6] .. account, KEYS[7]) then return true end
  end
  local free, held = laneRoom(admitted, KEYS[2], KEYS[3])
  return free > 0 and nextInLane(KEYS[4] .. account, held, KEYS[3])
end
local found = {}
for _, account in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[1], ARGV[1], account)
  if redis.call('EXISTS', KEYS[8] .. account) == 1 or accountHold(KEYS[6] .. account, KEYS[7]) then
    redis.call('ZADD', KEYS[9], 'NX', ARGV[1], account)
  end
  if needsLook(account) then found[#found + 1] = account end
end
return found
`;

/** A job that leaves the lane wakes the next one's entry; this is only how long BullMQ delays that entry (ms). */
export const AWAITING_TURN_MS = 30 * DAY_MS;
/** How long it is kept why an account waited: nobody else removes that of an account that is gone (ms). */
const DELAY_KEPT_MS = 30 * DAY_MS;
/** After how long the sweep checks a lane again (ms). */
const STALE_AFTER_MS = 10 * SECOND_MS;

export interface LaneMember {
  readonly id: string;
  readonly account: string;
  readonly priority: number;
  /** When it was created or became due (ms since the epoch). */
  readonly since: number;
}

const answerSchema = z.enum(['admitted', 'waiting', ...HOLD_REASONS]);
const idsSchema = z.array(z.string());

export type Lanes = ReturnType<typeof createLanes>;

/** Priorities come first, then seconds of age; ids of one second sort by their own time. Exact within 2^53. */
export function laneScore({ priority, since }: Pick<LaneMember, 'priority' | 'since'>): number {
  return priority * 2 ** 32 + Math.floor(since / SECOND_MS);
}

/** The lanes of all accounts. How many jobs of one may be admitted at a time is read in Redis, by the scripts. */
export function createLanes({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const runEnter = prepareScript(redis, ENTER_LUA);
  const runLeave = prepareScript(redis, LEAVE_LUA);
  const runCheck = prepareScript(redis, CHECK_LUA);
  const keysOf = (account: string): string[] => [
    keys.laneWaiting(account),
    keys.laneAdmitted(account),
    keys.account(account),
    keys.lanes,
    keys.laneLimit,
    keys.job(''),
    keys.publishingPause,
  ];

  async function leave(account: string, id: string): Promise<string[]> {
    return idsSchema.parse(await runLeave(keysOf(account), [account, id, clock.now()]));
  }

  return {
    /** Publishes how many jobs of one account may be admitted at a time. */
    async publishLimit(limit: number): Promise<void> {
      await redis.set(keys.laneLimit, limit);
    },

    /** Publishes it again if Redis has lost it. */
    async restoreLimit(limit: number): Promise<void> {
      await redis.set(keys.laneLimit, limit, 'NX');
    },

    /** Asks to begin: `admitted`, or why the job has to wait. Asking again changes nothing. */
    async enter(member: LaneMember): Promise<z.infer<typeof answerSchema>> {
      const { account, id } = member;
      return answerSchema.parse(await runEnter(keysOf(account), [account, id, laneScore(member), clock.now()]));
    },

    /** Moves a job that waits, in its lane or for a place within the app's cap, to where its priority and age belong. */
    async reorder(member: LaneMember): Promise<void> {
      for (const line of [keys.laneWaiting(member.account), keys.newcomers])
        await redis.zadd(line, 'XX', laneScore(member), member.id);
    },

    /** Leaves the lane, admitted or not. @returns the jobs that have to be woken */
    leave,

    /** Jobs that hold a place in an account's lane, the longest first. */
    async admitted(account: string): Promise<string[]> {
      return await redis.zrevrange(keys.laneAdmitted(account), '0', '-1');
    },

    /** Stores why a whole account waits, to be shown with its waiting jobs. */
    async showDelay(account: string, { reason, until }: LaneDelay): Promise<void> {
      const key = keys.laneDelay(account);
      const lastsMs = Math.max(0, (until ?? 0) - clock.now());
      const fields = { reason, until: until ?? '' };
      await redis
        .multi()
        .hset(key, fields)
        .pexpire(key, lastsMs + DELAY_KEPT_MS)
        .zadd(keys.heldAccounts, 'NX', clock.now(), account)
        .exec();
    },

    /** Why a whole account waits, if it does. */
    async delayOf(account: string): Promise<LaneDelay | undefined> {
      return parseLaneDelay(await redis.hgetall(keys.laneDelay(account)));
    },

    /** Checks lanes with waiting jobs that were not checked lately. @returns the accounts of those that need a look */
    async check(count: number): Promise<string[]> {
      const now = clock.now();
      const starts = [keys.job(''), keys.laneWaiting(''), keys.laneAdmitted(''), keys.account('')];
      const others = [keys.publishingPause, keys.laneDelay(''), keys.heldAccounts];
      const read = [keys.lanes, keys.laneLimit, ...starts, ...others];
      return idsSchema.parse(await runCheck(read, [now, now - STALE_AFTER_MS, count]));
    },
  };
}

/** Why all jobs of an account wait. */
export interface LaneDelay {
  readonly reason: WaitReason;
  /** Ms since the epoch; undefined: nobody knows. */
  readonly until: number | undefined;
}

/** Reads it from its hash. @returns undefined when there is none */
export function parseLaneDelay(hash: Readonly<Record<string, string>>): LaneDelay | undefined {
  const reason = WAIT_REASONS.find((each) => each === hash.reason);
  if (reason === undefined) return undefined;
  return { reason, until: hash.until ? Number(hash.until) : undefined };
}
