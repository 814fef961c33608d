import { z } from 'zod';
import { ACCOUNT_HOLD_LUA } from '../accounts/account-hold.ts';
import type { Clock } from '../core/ports.ts';
import { WAIT_REASONS, type WaitReason } from '../core/publish-state.ts';
import { DAY_MS, SECOND_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';

/** One upload per account at a time, until a service has published another limit. */
const DEFAULT_LANE_LIMIT = 1;

/**
 * Lua of the lanes. KEYS of each: waiting set, admitted set, the account's hash, set of lanes in use, the lane limit.
 *
 * The waiting set is ordered by priority, then age; the admitted set by the time of admission.
 */

/** How many jobs of one account may be admitted at a time, whatever the account. */
const LANE_LIMIT = `
local function laneLimit(key) return tonumber(redis.call('GET', key) or '') or ${DEFAULT_LANE_LIMIT} end
`;

/** Admits a job where there is room, else lets it wait. Needs keys of waiting and admitted jobs, lanes and the limit. */
export const ADMIT_OR_WAIT = `${LANE_LIMIT}
local function admitOrWait(waiting, admitted, lanes, limit, account, id, score, now)
  local count = redis.call('ZCARD', admitted)
  if count > 0 and redis.call('ZSCORE', admitted, id) then return 'admitted' end
  if (count == 0 or count < laneLimit(limit)) and redis.call('ZCARD', waiting) == 0 then
    redis.call('ZADD', admitted, now, id)
    return 'admitted'
  end
  redis.call('ZADD', waiting, score, id)
  redis.call('ZADD', lanes, 'NX', now, account)
  return 'waiting'
end
`;

/** ARGV: account, id, score, now. Answers `admitted`, `waiting`, `account_paused` or `reauthorization`. */
const ENTER_LUA = `${ADMIT_OR_WAIT}
${ACCOUNT_HOLD_LUA}
local where = admitOrWait(KEYS[1], KEYS[2], KEYS[4], KEYS[5], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if where == 'waiting' then return where end
return accountHold(KEYS[3]) or where
`;

/**
 * `leaveLane(waiting, admitted, lanes, limit, account, id, now)` for scripts, `id` being '' for nobody. Returns the ids
 * that have to be woken: those admitted in its place, and all admitted ones if it had left before, since the process that
 * removed it may have died before waking them.
 */
export const LEAVE_LANE_LUA = `${LANE_LIMIT}
local function leaveLane(waiting, admitted, lanes, limit, account, id, now)
  local isUsed = redis.call('EXISTS', waiting) == 1
  local waited = isUsed and redis.call('ZREM', waiting, id) == 1
  local hadLeft = redis.call('ZREM', admitted, id) == 0 and not waited and id ~= ''
  local next = hadLeft and redis.call('ZRANGE', admitted, 0, -1) or {}
  local free = isUsed and laneLimit(limit) - redis.call('ZCARD', admitted) or 0
  while free > 0 do
    local popped = redis.call('ZPOPMIN', waiting)
    if not popped[1] then break end
    redis.call('ZADD', admitted, now, popped[1])
    next[#next + 1] = popped[1]
    free = free - 1
  end
  if not isUsed or redis.call('EXISTS', waiting) == 0 then redis.call('ZREM', lanes, account) end
  return next
end
`;

const LEAVE_LUA = `${LEAVE_LANE_LUA}
return leaveLane(KEYS[1], KEYS[2], KEYS[4], KEYS[5], ARGV[1], ARGV[2], ARGV[3])
`;

/** A job that leaves the lane wakes the next one's entry; this is only how long BullMQ delays that entry (ms). */
export const AWAITING_TURN_MS = 30 * DAY_MS;
/** After how long the sweep looks at an admitted job that did not leave (ms). */
const STALE_AFTER_MS = 10 * SECOND_MS;

export interface LaneMember {
  readonly id: string;
  readonly account: string;
  readonly priority: number;
  /** When it was created or became due (ms since the epoch). */
  readonly since: number;
}

const answerSchema = z.enum(['admitted', 'waiting', 'account_paused', 'reauthorization']);
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
  const keysOf = (account: string): string[] => [
    keys.laneWaiting(account),
    keys.laneAdmitted(account),
    keys.account(account),
    keys.lanes,
    keys.laneLimit,
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
    async enter(member: LaneMember): Promise<'admitted' | 'waiting' | 'account_paused' | 'reauthorization'> {
      const { account, id } = member;
      return answerSchema.parse(await runEnter(keysOf(account), [account, id, laneScore(member), clock.now()]));
    },

    /** Moves a job that waits in its lane to where its priority and age belong. */
    async reorder(member: LaneMember): Promise<void> {
      await redis.zadd(keys.laneWaiting(member.account), 'XX', laneScore(member), member.id);
    },

    /** Leaves the lane, admitted or not. @returns the jobs that have to be woken */
    leave,

    /** Jobs that hold a place in an account's lane, the longest first. */
    async admitted(account: string): Promise<string[]> {
      return await redis.zrevrange(keys.laneAdmitted(account), '0', '-1');
    },

    /** Stores why a whole account waits, to be shown with its waiting jobs. */
    async showDelay(account: string, { reason, until }: LaneDelay): Promise<void> {
      await redis.hset(keys.laneDelay(account), { reason, until: until ?? '' });
    },

    /** Why a whole account waits, if it does. */
    async delayOf(account: string): Promise<LaneDelay | undefined> {
      return parseLaneDelay(await redis.hgetall(keys.laneDelay(account)));
    },

    /** Lanes with waiting jobs that no sweep has checked lately; counts as a check. */
    async stale(count: number): Promise<string[]> {
      const now = clock.now();
      const accounts = await redis.zrangebyscore(keys.lanes, '-inf', now - STALE_AFTER_MS, 'LIMIT', 0, count);
      if (accounts.length > 0) await redis.zadd(keys.lanes, 'XX', ...accounts.flatMap((account) => [now, account]));
      return accounts;
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
