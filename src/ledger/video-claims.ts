import type { Clock } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { type PublishState, parsePublishState } from '../core/publish-state.ts';
import { DAY_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import type { LedgerRecord } from './record.ts';

/** How many jobs of one video are remembered, the latest first. */
const REMEMBERED_JOBS = 100;

/** `latestOther(claims, id, jobPrefix, now, windowMs)` for scripts: id and state, or nil; claims that count no more; how many there are. */
const LATEST_OTHER_LUA = `
local function latestOther(claims, id, jobPrefix, now, windowMs)
  local other, over = nil, {}
  local members = redis.call('ZREVRANGE', claims, 0, -1)
  for _, member in ipairs(members) do
    if member ~= id then
      local state, endedAt = unpack(redis.call('HMGET', jobPrefix .. member, 'state', 'endedAt'))
      local counts = state and state ~= 'failed' and state ~= 'cancelled'
      if not state or (counts and endedAt and tonumber(endedAt) <= now - windowMs) then
        over[#over + 1] = member
      elseif counts and not other then
        other = { member, state }
      end
    end
  end
  return other, over, #members
end
`;

/**
 * Claims a video for a job, unless another job that was or may yet be posted has it, and notes the claim in the job's
 * record. The others' own records say what became of them, so there is nothing to give back when a job fails, is
 * cancelled or dies. Answers id and state of the latest other job, if there is one, or `overtaken`.
 */
const CLAIM_VIDEO_SCRIPT = `${LATEST_OTHER_LUA}
if redis.call('HGET', key.job, 'fence') ~= arg.fence then return 'overtaken' end
local other, over, count = latestOther(key.claims, arg.id, arg.jobPrefix, arg.now, arg.windowMs)
if #over > 0 then redis.call('ZREM', key.claims, unpack(over)) end
if other and arg.leaveToOther then return other end
redis.call('ZADD', key.claims, arg.now, arg.id)
if count >= ${REMEMBERED_JOBS} then redis.call('ZREMRANGEBYRANK', key.claims, 0, -${REMEMBERED_JOBS + 1}) end
redis.call('PEXPIRE', key.claims, arg.keptMs)
if not other then redis.call('HSET', key.job, 'claimedVideo', arg.claimedVideo) end
return other or {}
`;

const FIND_CLAIM_SCRIPT = `${LATEST_OTHER_LUA}
return latestOther(key.claims, '', arg.jobPrefix, arg.now, arg.windowMs) or {}
`;

export interface OtherJob {
  readonly id: string;
  readonly state: PublishState;
}

/** Says of each job whether its video was already published on its account, or is about to be. */
export interface VideoClaims {
  /**
   * Claims a video for a job. Of any number of jobs that do this at once and leave it to others, one gets it; where there is
   * no other, the claim is noted in the record too.
   * @param options `leaveToOther`: the job claims nothing where there is another one
   * @returns the latest other job that has it, if there is one
   * @throws PublishError `INTERNAL_OVERTAKEN` where the job is no longer the caller's
   */
  claim(
    job: Pick<LedgerRecord, 'id' | 'account' | 'fence'>,
    claimedVideo: NonNullable<LedgerRecord['claimedVideo']>,
    options: { readonly leaveToOther: boolean },
  ): Promise<OtherJob | undefined>;
}

/** Looks for jobs with the same video. */
export interface ClaimSearch {
  /** The latest job that has a video, by its digest; claims nothing. */
  find(account: string, digest: string): Promise<OtherJob | undefined>;
}

export interface VideoClaimsOptions {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** How long after its end a job still counts (ms). */
  readonly windowMs: number;
  /** Longest time that a job may wait before it begins (ms): its claim is kept so long. */
  readonly maxWaitMs: number;
}

/** Opens the claims of videos; they live beside the ledger, whose records say which of them count. */
export function createVideoClaims({
  redis,
  keys,
  clock,
  windowMs,
  maxWaitMs,
}: VideoClaimsOptions): VideoClaims & ClaimSearch {
  const runClaim = prepareNamedScript(redis, CLAIM_VIDEO_SCRIPT);
  const runFind = prepareNamedScript(redis, FIND_CLAIM_SCRIPT);
  // A day for the outcome, and one to spare.
  const keptMs = windowMs + maxWaitMs + 2 * DAY_MS;
  return {
    async claim({ id, account, fence }, claimedVideo, { leaveToOther }) {
      const answer = await runClaim(
        { job: keys.job(id), claims: keys.claimedVideo(account, claimedVideo.digest) },
        {
          ...{ id, fence: String(fence), claimedVideo: JSON.stringify(claimedVideo) },
          ...{ now: clock.now(), windowMs, keptMs, leaveToOther, jobPrefix: keys.job('') },
        },
      );
      if (answer === 'overtaken') throw new PublishError('INTERNAL_OVERTAKEN', { reason: id });
      return otherJobOf(answer);
    },

    async find(account, digest) {
      const answer = await runFind(
        { claims: keys.claimedVideo(account, digest) },
        { now: clock.now(), windowMs, jobPrefix: keys.job('') },
      );
      return otherJobOf(answer);
    },
  };
}

function otherJobOf(answer: unknown): OtherJob | undefined {
  const [other, stateName] = asArray(answer);
  const state = parsePublishState(String(stateName));
  return other === undefined || state === undefined ? undefined : { id: String(other), state };
}
