import type { Clock } from '../core/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import { POSTS_A_DAY } from './tiktok-quotas.ts';

/** TikTok's daily cap frees post by post; sooner than this it is not asked again (ms). */
const SOONEST_RETRY_MS = 15 * MINUTE_MS;
/** Where posts of other apps must count, nobody knows when they age out: ask again after this at the latest (ms). */
const LATEST_RETRY_MS = 4 * HOUR_MS;

/** `heldBackUntil(cap, users, account, now)` for scripts: until when the app's cap holds an account back, or nil. */
export const HELD_BACK_LUA = `
local function heldBackUntil(cap, users, account, now)
  local heldUntil = redis.call('GET', cap)
  if not heldUntil then return nil end
  local lastPostAt = redis.call('ZSCORE', users, account)
  if lastPostAt and tonumber(lastPostAt) > now - ${DAY_MS} then return nil end
  return heldUntil
end
`;

/** `noteDirectPost(posts, users, account, now)` for scripts: a direct post was begun, which counts for both caps. Never fails. */
export const NOTE_DIRECT_POST_LUA = `
local function noteDirectPost(posts, users, account, now)
  for member, each in pairs({ [string.format('%.0f', now)] = posts, [account] = users }) do
    redis.pcall('ZADD', each, now, member)
    redis.pcall('ZREMRANGEBYSCORE', each, '-inf', now - ${DAY_MS})
    redis.pcall('PEXPIRE', each, ${DAY_MS})
  end
end
`;

export type Caps = ReturnType<typeof createCaps>;

/**
 * TikTok's caps per day (content-sharing-guidelines, read 2026-11-22): about 15 direct posts per creator, and a number
 * of creators per app. Neither can be booked; these counts only say when asking again makes sense.
 */
export function createCaps({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const runHeldBack = prepareNamedScript(
    redis,
    `${HELD_BACK_LUA}return heldBackUntil(key.cap, key.users, arg.account, arg.now)`,
  );
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

    /** Holds accounts back that have not posted within a day, until a time (ms since the epoch). */
    async holdNewUsersUntil(until: number): Promise<void> {
      await redis.set(keys.activeUserCap, until, 'PX', Math.max(1, until - clock.now()));
    },

    /** Until when an account is held back by the app's cap. @returns undefined if it is not */
    async heldBackUntil(account: string): Promise<number | undefined> {
      const until = await runHeldBack(
        { cap: keys.activeUserCap, users: keys.activeUsers },
        { account, now: clock.now() },
      );
      return until === null ? undefined : Number(until);
    },
  };
}
