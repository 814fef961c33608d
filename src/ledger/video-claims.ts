import type { Clock } from '../core/ports.ts';
import { type PublishState, parsePublishState } from '../core/publish-state.ts';
import { DAY_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';

/** So many jobs of one video are remembered, the latest. */
const REMEMBERED_JOBS = 100;

/**
 * Claims a video for a job, unless another job that was or may yet be posted has it. The others' own records say what
 * became of them, so there is nothing to give back when a job fails, is cancelled or dies.
 *
 * KEYS[1] the jobs that claimed this video on this account. ARGV: id, now, window (ms), how long to keep the set (ms),
 * `1` to leave it to the other job, prefix of the job hashes.
 * Answers id and state of the latest other job, if there is one.
 */
const CLAIM_VIDEO_SCRIPT = `
local id, now, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local other
for _, member in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  if member ~= id then
    local seen = redis.call('HMGET', ARGV[6] .. member, 'state', 'endedAt')
    local state, endedAt = seen[1], tonumber(seen[2] or '')
    local counts = state and state ~= 'failed' and state ~= 'cancelled'
    if not state or (counts and endedAt and endedAt <= now - window) then
      redis.call('ZREM', KEYS[1], member)
    elseif counts and not other then
      other = { member, state }
    end
  end
end
if other and ARGV[5] == '1' then return other end
redis.call('ZADD', KEYS[1], ARGV[2], id)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -${REMEMBERED_JOBS + 1})
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return other or {}
`;

/** Another job that has the same video. */
export interface OtherJob {
  readonly id: string;
  readonly state: PublishState;
}

/** Says of each job whether its video was already published on its account, or is about to be. */
export interface VideoClaims {
  /**
   * Claims a video for a job. Of any number of jobs that do this at once and leave it to others, one gets it.
   * @param digest names the video
   * @param options `leaveToOther`: the job claims nothing where there is another one
   * @returns the latest other job that has it, if there is one
   */
  claim(
    job: { readonly id: string; readonly account: string },
    digest: string,
    options: { readonly leaveToOther: boolean },
  ): Promise<OtherJob | undefined>;
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
export function createVideoClaims({ redis, keys, clock, windowMs, maxWaitMs }: VideoClaimsOptions): VideoClaims {
  const runClaim = prepareScript(redis, CLAIM_VIDEO_SCRIPT);
  // A day for the outcome, and one to spare.
  const keptMs = windowMs + maxWaitMs + 2 * DAY_MS;
  return {
    async claim({ id, account }, digest, { leaveToOther }) {
      const answer = await runClaim(
        [keys.claimedVideo(account, digest)],
        [id, clock.now(), windowMs, keptMs, leaveToOther ? 1 : 0, keys.job('')],
      );
      const [other, stateName] = Array.isArray(answer) ? answer : [];
      const state = parsePublishState(String(stateName));
      return other === undefined || state === undefined ? undefined : { id: String(other), state };
    },
  };
}
