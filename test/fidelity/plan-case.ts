import { resolve } from 'node:path';
import type { SimulatorOptions } from '../../src/simulator/index.ts';
import { type PlannedFault, refusal } from '../chaos/fault-plan.ts';
import type { PlannedJob } from '../chaos/round-plan.ts';
import { type SeededRandom, seededRandom } from '../chaos/seeded-random.ts';
import { type Trap, trapSchema } from '../chaos/traps.ts';
import type { CaseValues } from './factors.ts';

/** One job of a case. */
interface CaseJob {
  readonly name: string;
  readonly plan: PlannedJob;
  /** The job whose account it shares; it is enqueued once that one has ended. */
  readonly after?: string;
}

/** What happens in one case; follows from its values and the seed. */
export interface PlannedCase {
  readonly simulator: SimulatorOptions;
  readonly chunkSizeBytes: number;
  readonly outcomeWithinMs: number;
  readonly jobs: readonly CaseJob[];
  /** Set for every worker; the others are let go once it has killed one. */
  readonly trap: Trap;
}

/** From the repository, where every command runs. */
const ELEVEN_MINUTES = resolve('test/fixtures/media/minutes-11.mp4');
const CHUNK_BYTES = 5_242_880;
const TWO_CHUNKS_BYTES = 10_600_000;
const SIZES = { 'one chunk': 2_000_000, 'several chunks': 15_800_000, 'over 64 MB': 66_000_000 } as const;
const LIFETIMES = { '2 h and 180 d': [7_200, 15_552_000], '24 h and 365 d': [86_400, 31_536_000] } as const;

export function planCase(values: CaseValues, seed: number): PlannedCase {
  const random = seededRandom(seed);
  const [step, moment] = values.kill.split(' ');
  return {
    simulator: simulatorOf(values, seed),
    // Over 64 MB a video must not go up in one chunk, whatever is wished for.
    chunkSizeBytes: values.video === 'over 64 MB' ? 64_000_000 : CHUNK_BYTES,
    // Where TikTok forgets publish_ids, nothing is to be waited for.
    outcomeWithinMs: values.switches.publishIdLifetimeMs === 0 ? 120_000 : 20_000,
    // Those that share an account share its faults.
    jobs: planJobs(values, random).map((job) =>
      job.after === undefined ? { ...job, plan: withLostReply(job.plan, values, random) } : job,
    ),
    trap: trapSchema.parse({
      step,
      moment,
      nth: 1,
      action: 'kill',
      ...(moment === 'during' && { afterBytes: 100_000 }),
    }),
  };
}

function simulatorOf(values: CaseValues, seed: number): SimulatorOptions {
  const { app, switches, rotateRefreshTokens, fetchPulls, moderationMs, inboxPostedAfterMs, initPerMinute } = values;
  const [accessTokenSeconds, refreshTokenSeconds] = LIFETIMES[values.tokenLifetimes];
  return {
    ...{ seed, switches, rotateRefreshTokens, fetchPulls, moderationMs, accessTokenSeconds, refreshTokenSeconds },
    ...{ unaudited: app !== 'audited', sandbox: app === 'sandbox' },
    ...(inboxPostedAfterMs >= 0 && { inboxPostedAfterMs }),
    limits: { initPerMinute, pendingSharesPerDay: 3 },
  };
}

/** Each switch has a job that meets what it decides. */
function planJobs({ app, switches, fetchPulls, fault, video }: CaseValues, random: SeededRandom): CaseJob[] {
  const isAudited = app === 'audited';
  const post = { privacyLevel: isAudited ? 'PUBLIC_TO_EVERYONE' : 'SELF_ONLY' } as const;
  const base = { source: 'file', hasKey: true, via: 'disk', faults: [], profile: { private: !isAudited } } as const;
  const draft = { ...base, mode: 'inbox', sizeBytes: 1_000_000 } as const;
  const direct = { ...base, mode: 'direct', sizeBytes: 1_000_000, post } as const;
  const isDead = fetchPulls && switches.pullUrlRules === 'enforce';
  const pulled = {
    ...(fetchPulls && ({ pulledFrom: isDead ? 'nowhere' : 'site' } as const)),
    ...(isDead && { refusedFor: 'video_pull_failed' }),
  };
  const format = 'file_format_check_failed';
  // Which one of its jobs is refused depends on which one TikTok sees first.
  const limited = { ...direct, profile: { ...direct.profile, postsElsewhere: 13 }, refusedFor: format };
  // Five creators a day may post directly by an app that is not audited.
  const usual = isAudited ? direct : draft;
  const troubled = fault === 'stall_download' ? ({ ...usual, ...pulled, source: 'pull' } as const) : usual;
  const jobs: CaseJob[] = [
    {
      name: 'direct',
      plan: { ...direct, sizeBytes: SIZES[video], post: { ...post, coverTimestampMs: 1_000, aiGenerated: true } },
    },
    { name: 'draft', plan: { ...draft, sizeBytes: SIZES['several chunks'], via: 'web' } },
    { name: 'draft-2', plan: draft, after: 'draft' },
    { name: 'draft-3', plan: draft, after: 'draft' },
    { name: 'draft-4', plan: draft, after: 'draft' },
    { name: 'pull', plan: { ...(isAudited ? direct : draft), source: 'pull', ...pulled } },
    { name: 'photos', plan: { ...draft, source: 'photos', ...pulled } },
    { name: 'refresh', plan: { ...draft, expireTokenAt: random.pick(['upload', 'status']) } },
    {
      name: 'cancelled',
      plan: { ...direct, sizeBytes: SIZES['several chunks'], cancelAt: random.pick(['init', 'upload']) },
    },
    {
      name: 'long',
      plan: {
        ...direct,
        video: ELEVEN_MINUTES,
        ...(switches.directDuration === 'ten-minutes' && { refusedFor: 'duration_check_failed' }),
      },
    },
    { name: 'refused', plan: { ...limited, faults: [refusal(limited, format, 1)] } },
    { name: 'limited-2', plan: limited, after: 'refused' },
    { name: 'limited-3', plan: limited, after: 'refused' },
    { name: 'troubled', plan: planTroubled(fault, troubled, random) },
  ];
  if (isAudited) return [...jobs, { name: 'branded', plan: { ...direct, post: { ...post, brandContent: true } } }];
  if (switches.unauditedPrivacyLevels === 'self-only') return jobs;
  const refusedFor = 'unaudited_client_can_only_post_to_private_accounts';
  return [
    ...jobs,
    { name: 'public', plan: { ...direct, post: { privacyLevel: 'MUTUAL_FOLLOW_FRIENDS' }, refusedFor } },
  ];
}

function planTroubled(fault: CaseValues['fault'], plan: PlannedJob, random: SeededRandom): PlannedJob {
  const init = plan.mode === 'direct' ? 'video_init' : 'inbox_init';
  const afterBytes = random.int(0, 5_000_000);
  const acts: Record<CaseValues['fault'], PlannedFault> = {
    status: { endpoint: random.pick([init, 'upload', 'status']), act: { kind: 'status', httpStatus: 503 } },
    raw: {
      endpoint: random.pick([init, 'status']),
      act: { kind: 'raw', httpStatus: 502, body: '<html>Bad gateway</html>' },
    },
    rate_limit: { endpoint: init, act: { kind: 'rate_limit', retryAfterSeconds: 1 } },
    drop_before: { endpoint: random.pick([init, 'upload', 'status']), act: { kind: 'drop_before' } },
    drop_mid_body: { endpoint: 'upload', act: { kind: 'drop_mid_body', afterBytes } },
    stall: { endpoint: 'upload', act: { kind: 'stall', afterBytes } },
    delay: { endpoint: random.pick([init, 'upload', 'status']), act: { kind: 'delay', ms: 700 } },
    slow_read: { endpoint: 'upload', act: { kind: 'slow_read', bytesPerSecond: 3_000_000 } },
    fail_processing: { endpoint: init, act: { kind: 'fail_processing', failReason: 'internal' } },
    stuck_processing: { endpoint: init, act: { kind: 'stuck_processing' } },
    stall_download: { endpoint: init, act: { kind: 'stall_download', afterBytes } },
  };
  return { ...plan, ...(plan.source === 'file' && { sizeBytes: TWO_CHUNKS_BYTES }), faults: [acts[fault]] };
}

/** One reply gets lost on the way of each job: the one that the case is about, or else another one. */
function withLostReply(plan: PlannedJob, { lostReply, lostBy }: CaseValues, random: SeededRandom): PlannedJob {
  const { source, mode, expireTokenAt } = plan;
  const init = source === 'photos' ? 'content_init' : mode === 'direct' ? 'video_init' : 'inbox_init';
  const replies: Partial<Record<CaseValues['lostReply'], Omit<PlannedFault, 'act'>>> = {
    init: { endpoint: init },
    status: { endpoint: 'status' },
    ...(mode === 'direct' && { creator_info: { endpoint: 'creator_info' } }),
    ...(source === 'file' && {
      chunk: { endpoint: 'upload', when: { chunkIndex: 0 } },
      last_chunk: { endpoint: 'upload', when: { lastChunk: true } },
    }),
    ...(expireTokenAt !== undefined && { token: { endpoint: 'token' } }),
  };
  const [first = { endpoint: init }, ...others] = Object.values(replies);
  const lost = replies[lostReply] ?? random.pick([first, ...others]);
  const fault = { ...lost, act: { kind: lostBy } };
  // The first fault that applies acts, and what TikTok refuses must stay refused.
  return { ...plan, faults: plan.refusedFor === undefined ? [fault, ...plan.faults] : [...plan.faults, fault] };
}
