import type { AccountUse } from '../core/account-use.ts';
import type { Clock } from '../core/ports.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { Caps } from './caps.ts';
import type { Facts } from './facts.ts';
import { POSTS_A_DAY, type QuotaEndpoint, TIKTOK_QUOTAS } from './tiktok-quotas.ts';

export interface AccountUseDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly caps: Pick<Caps, 'postsLastDay'>;
  readonly facts: Pick<Facts, 'of'>;
}

const ENDPOINTS = Object.keys(TIKTOK_QUOTAS) as QuotaEndpoint[];

/** Reads it for people to see; it changes nothing. */
export async function readAccountUse(
  account: string,
  { redis, keys, clock, caps, facts }: AccountUseDeps,
): Promise<AccountUse> {
  const usedOf = async (endpoint: QuotaEndpoint) => {
    const { limit, windowMs } = TIKTOK_QUOTAS[endpoint];
    const booked = await redis.lrange(keys.reservations(account, endpoint), -limit, -1);
    return { endpoint, used: booked.filter((at) => Number(at) > clock.now() - windowMs).length, limit };
  };
  const [posts, { dailyPostCap }, waiting, admitted, calls] = await Promise.all([
    caps.postsLastDay(account),
    facts.of(account),
    redis.zcard(keys.laneWaiting(account)),
    redis.zcard(keys.laneAdmitted(account)),
    Promise.all(ENDPOINTS.map(usedOf)),
  ]);
  return {
    ...{ posts, postsADay: dailyPostCap?.value ?? POSTS_A_DAY, waiting, admitted },
    calls: calls.filter(({ used }) => used > 0),
  };
}
