import { z } from 'zod';
import type { AccountJobs } from '../core/account-use.ts';
import { ALL_PUBLISH_STATES, HOLD_REASONS, parseWaitReason } from '../core/publish-state.ts';
import type { Keys } from '../redis/keys.ts';
import { luaSetOf, prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import type { LaneDelays } from './lane-delays.ts';

/** How many of an account's jobs one look goes through, however many there are: less than a millisecond of Redis. */
const NEWEST = 200;
/** Outcomes that are shown. */
const MAX_OUTCOMES = 5;

/**
 * Looks through the newest jobs of an account, and through those that have begun for what they wait for. Answers how many it
 * saw, how many of them need a person, the last outcomes, and how many wait: all behind, and of the others those that say so.
 */
const LOOK_LUA = `
local HELD = ${luaSetOf(HOLD_REASONS)}
local newest, failed, ended = redis.call('ZREVRANGE', key.jobs, 0, arg.newest - 1), 0, {}
for _, id in ipairs(newest) do
  local state, endedAt = unpack(redis.call('HMGET', key.job .. id, 'state', 'endedAt'))
  if state == 'failed' or state == 'unconfirmed' then failed = failed + 1 end
  if endedAt and #ended < arg.outcomes then ended[#ended + 1] = { id, state, endedAt } end
end
local waiting = redis.call('ZCARD', key.laneWaiting)
local begun = redis.call('ZRANGE', key.laneAdmitted, 0, arg.newest - 1)
if redis.call('SCARD', key.polled) <= arg.newest then
  for _, id in ipairs(redis.call('SMEMBERS', key.polled)) do begun[#begun + 1] = id end
end
for _, id in ipairs(begun) do
  if HELD[redis.call('HGET', key.job .. id, 'waitingFor')] then waiting = waiting + 1 end
end
return { #newest, failed, ended, waiting }
`;

const answerSchema = z.tuple([
  z.number(),
  z.number(),
  z.array(z.tuple([z.string(), z.enum(ALL_PUBLISH_STATES), z.coerce.number()])),
  z.number(),
]);

/** Makes the look at the jobs of an account, which costs the same however many there are. */
export function createAccountJobs({
  redis,
  keys,
  laneDelays,
}: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly laneDelays: LaneDelays;
}) {
  const runLook = prepareNamedScript(redis, LOOK_LUA);

  return async function accountJobs(account: string): Promise<AccountJobs> {
    const [answer, pause, delays] = await Promise.all([
      runLook(
        {
          ...{ job: keys.job(''), jobs: keys.accountJobs(account), polled: keys.polledJobs(account) },
          ...{ laneWaiting: keys.laneWaiting(account), laneAdmitted: keys.laneAdmitted(account) },
        },
        { newest: NEWEST, outcomes: MAX_OUTCOMES },
      ),
      laneDelays.pause(),
      laneDelays.of([account]),
    ]);
    const [newestCount, failedCount, ended, waitingCount] = answerSchema.parse(answer);
    return {
      ...{ newestCount, failedCount, waitingCount },
      waitsFor: parseWaitReason((pause ?? delays.get(account))?.reason),
      ended: ended.map(([id, state, endedAt]) => ({ id, state, endedAt: new Date(endedAt).toISOString() })),
    };
  };
}
