import type { Clock } from '../core/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import { type LaneMember, laneScore } from './lanes.ts';
import { POSTS_A_DAY } from './tiktok-quotas.ts';

/** TikTok's daily cap frees post by post; sooner than this it is not asked again (ms). */
const SOONEST_RETRY_MS = 15 * MINUTE_MS;
/** Where posts of other apps must count, nobody knows when they age out: ask again after this at the latest (ms). */
const LATEST_RETRY_MS = 4 * HOUR_MS;
/** How long a place is kept for a creator who was let in and has not begun a post (ms). */
const PLACE_KEPT_MS = 10 * MINUTE_MS;
/** How often one creator more than the app's cap is let in, to find out whether TikTok has raised it (ms). */
const PROBE_EVERY_MS = HOUR_MS;
/** As many creators as one look at the line wakes. */
const WOKEN_AT_ONCE = 10;
/** Of as many creators it is looked up when their places become free. */
const MOST_PLACES = 2_000;

/** `isNewcomer(cap, users, account, now)` for scripts: the app's cap is known, and the account has no place within it. */
export const IS_NEWCOMER_LUA = `
local function isNewcomer(cap, users, account, now)
  if not cap then return false end
  local lastPostAt = redis.call('ZSCORE', users, account)
  return not (lastPostAt and tonumber(lastPostAt) > now - ${DAY_MS})
end
`;

/**
 * `noteDirectPost(posts, users, account, now, facts, letIn)` for scripts: a direct post was begun, which counts for both
 * caps. One creator more than the app's cap means that there is another cap. Never fails.
 */
export const NOTE_DIRECT_POST_LUA = `
local function noteDirectPost(posts, users, account, now, facts, letIn)
  for member, each in pairs({ [string.format('%.0f', now)] = posts, [account] = users }) do
    redis.pcall('ZADD', each, now, member)
    redis.pcall('ZREMRANGEBYSCORE', each, '-inf', now - ${DAY_MS})
    redis.pcall('PEXPIRE', each, ${DAY_MS})
  end
  local cap = redis.pcall('HGET', facts, 'activeCreatorCap')
  if type(cap) ~= 'string' then return end
  redis.pcall('ZREM', letIn, account)
  if redis.pcall('ZCARD', users) > cjson.decode(cap).value then redis.pcall('HDEL', facts, 'activeCreatorCap') end
end
`;

/**
 * The app's cap as a budget: a creator who posted within a day has a place, also one who was let in a moment ago. The
 * others wait in line, their jobs by priority, then age.
 */
const BUDGET_LUA = `${IS_NEWCOMER_LUA}
local function appCap()
  local json = redis.call('HGET', key.facts, 'activeCreatorCap')
  return json and cjson.decode(json)
end
local since = string.format('(%.0f', arg.now - ${DAY_MS})
local keptSince = string.format('(%.0f', arg.now - ${PLACE_KEPT_MS})
local function keptPlaces() return redis.call('ZCOUNT', key.letIn, keptSince, '+inf') end
local function freePlaces(cap) return cap.value - redis.call('ZCOUNT', key.users, since, '+inf') - keptPlaces() end
local function mayProbe(cap)
  return (cap.probedAt or cap.learnedAt) + ${PROBE_EVERY_MS} <= arg.now and keptPlaces() == 0
end
-- A creator with a job in the lane posts again, and so keeps the place for another day; a free place is soon taken.
local function placeFreesAt(place, free)
  local users = redis.call('ZRANGEBYSCORE', key.users, since, '+inf', 'WITHSCORES', 'LIMIT', 0, ${MOST_PLACES})
  local times = {}
  for i = 1, #users, 2 do
    local postsAgain = redis.call('EXISTS', key.laneAdmittedPrefix .. users[i]) == 1
    times[#times + 1] = (postsAgain and arg.now or tonumber(users[i + 1])) + ${DAY_MS}
  end
  local taken = keptPlaces() + math.max(free, 0)
  for _ = 1, taken do times[#times + 1] = arg.now + ${DAY_MS} end
  if #times == 0 then return '' end
  table.sort(times)
  local nth = place - free
  return string.format('%.0f', times[nth % #times + 1] + math.floor(nth / #times) * ${DAY_MS})
end
`;

/** Lets the account of a job in, or answers when a place becomes free for it. Without `arg.score` it only looks. */
const ASK_LUA = `${BUDGET_LUA}
local cap = appCap()
if not isNewcomer(cap, key.users, arg.account, arg.now) then return false end
local letInAt = redis.call('ZSCORE', key.letIn, arg.account)
if letInAt and tonumber(letInAt) > arg.now - ${PLACE_KEPT_MS} then return false end
if arg.score then redis.call('ZADD', key.line, arg.score, arg.id) end
local place = arg.score and redis.call('ZRANK', key.line, arg.id) or redis.call('ZCARD', key.line)
local free = freePlaces(cap)
local isProbe = free <= 0 and place == 0 and mayProbe(cap)
if place >= free and not isProbe then return placeFreesAt(place, free) end
if not arg.score then return false end
if isProbe then
  cap.probedAt = arg.now
  redis.call('HSET', key.facts, 'activeCreatorCap', cjson.encode(cap))
end
redis.call('ZREM', key.line, arg.id)
redis.call('ZREMRANGEBYSCORE', key.letIn, '-inf', arg.now - ${PLACE_KEPT_MS})
redis.call('ZADD', key.letIn, arg.now, arg.account)
return false
`;

/** TikTok refused an account for the app's cap: as many as have a place now are as many as may have one. */
const REFUSED_LUA = `${BUDGET_LUA}
redis.call('ZREM', key.users, arg.account)
redis.call('ZREM', key.letIn, arg.account)
local cap = { value = redis.call('ZCOUNT', key.users, since, '+inf'), learnedAt = arg.now, jobId = arg.id, account = arg.account }
redis.call('HSET', key.facts, 'activeCreatorCap', cjson.encode(cap))
redis.call('ZADD', key.line, arg.score, arg.id)
return placeFreesAt(redis.call('ZRANK', key.line, arg.id), freePlaces(cap))
`;

/** Answers the jobs in line for which there is a place now. */
const NEXT_LUA = `${BUDGET_LUA}
if redis.call('EXISTS', key.line) == 0 then return {} end
local cap = appCap()
local free = cap and freePlaces(cap) or ${WOKEN_AT_ONCE}
if free <= 0 and mayProbe(cap) then free = 1 end
if free <= 0 then return {} end
return redis.call('ZRANGE', key.line, 0, math.min(free, ${WOKEN_AT_ONCE}) - 1)
`;

export type Caps = ReturnType<typeof createCaps>;

/**
 * TikTok's caps per day (content-sharing-guidelines, read 2026-11-22): about 15 direct posts per creator, and a number
 * of creators per app, which TikTok does not tell: it is learned when TikTok refuses one more.
 */
export function createCaps({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const runAsk = prepareNamedScript(redis, ASK_LUA);
  const runRefused = prepareNamedScript(redis, REFUSED_LUA);
  const runNext = prepareNamedScript(redis, NEXT_LUA);
  const budgetKeys = {
    ...{ facts: keys.facts, users: keys.activeUsers, line: keys.newcomers, letIn: keys.letIn },
    laneAdmittedPrefix: keys.laneAdmitted(''),
  };
  /** Where nobody knows when a place becomes free, TikTok is asked again after an hour. */
  const toTime = (answer: unknown) => (answer === '' ? clock.now() + PROBE_EVERY_MS : Number(answer));

  return {
    /** How many direct posts of an account were begun within a day. */
    async postsLastDay(account: string): Promise<number> {
      return await redis.zcount(keys.directPosts(account), clock.now() - DAY_MS, '+inf');
    },

    /**
     * When an account at its daily cap tries again: when its oldest post of the last day has aged out. Exactly then where
     * our own posts alone reach the cap.
     */
    async nextDailyTryAt(account: string): Promise<number> {
      const now = clock.now();
      const posts = await redis.zrangebyscore(keys.directPosts(account), now - DAY_MS, '+inf', 'LIMIT', 0, POSTS_A_DAY);
      const [oldest] = posts;
      if (posts.length >= POSTS_A_DAY) return Number(oldest) + DAY_MS;
      const freesAt = oldest === undefined ? now + HOUR_MS : Number(oldest) + DAY_MS;
      return Math.min(Math.max(freesAt, now + SOONEST_RETRY_MS), now + LATEST_RETRY_MS);
    },

    /**
     * Lets the account of a job post, within the app's cap, or puts the job in line.
     * @returns until when it has to wait (ms since the epoch); undefined: it may post
     */
    async letIn(member: LaneMember): Promise<number | undefined> {
      const { account, id } = member;
      const answer = await runAsk(budgetKeys, { account, id, score: laneScore(member), now: clock.now() });
      return answer === null ? undefined : toTime(answer);
    },

    /** Until when a new job of an account would have to wait, the same way; changes nothing. */
    async heldBackUntil(account: string): Promise<number | undefined> {
      const answer = await runAsk(budgetKeys, { account, now: clock.now() });
      return answer === null ? undefined : toTime(answer);
    },

    /**
     * TikTok refused a job for the app's cap: learns the cap, and puts the job in line.
     * @returns when a place becomes free for it (ms since the epoch)
     */
    async noteRefusal(member: LaneMember): Promise<number> {
      const { account, id } = member;
      return toTime(await runRefused(budgetKeys, { account, id, score: laneScore(member), now: clock.now() }));
    },

    /** Jobs in line for which there is a place now. */
    async nextInLine(): Promise<string[]> {
      return asArray(await runNext(budgetKeys, { now: clock.now() })).map(String);
    },

    /** A job that waits in line no longer. */
    async leaveLine(id: string): Promise<void> {
      await redis.zrem(keys.newcomers, id);
    },
  };
}
