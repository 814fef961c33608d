import type { FaultRule } from '../../src/simulator/index.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import type { Trap } from './traps.ts';

/** A fault of the simulator's, for one job's account. */
export type PlannedFault = Pick<FaultRule, 'endpoint' | 'act'> & {
  readonly when?: Omit<NonNullable<FaultRule['when']>, 'openId'>;
};

/** One job of a round, and what goes wrong with it. */
export interface PlannedJob {
  readonly mode: 'direct' | 'inbox';
  readonly source: 'file' | 'pull';
  readonly sizeBytes: number;
  readonly faults: readonly PlannedFault[];
  /** TikTok takes the access token back when the job reaches this endpoint. */
  readonly expireTokenAt?: 'upload' | 'status';
  /** The process that enqueues it dies right after, or between record and queue entry. */
  readonly enqueuer?: 'after' | 'between';
  /** The caller cancels it when it has reached this endpoint. */
  readonly cancelAt?: 'init' | 'upload' | 'status';
  /** Reason for which TikTok refuses the video for good. */
  readonly refusedFor?: string;
}

/** What happens in one round; follows from the seed alone. */
export interface PlannedRound {
  readonly jobs: readonly PlannedJob[];
  /** Per worker process, one after the other: the next is set when the one before has acted. */
  readonly traps: readonly (readonly Trap[])[];
  readonly redisOutage?: { readonly afterMs: number; readonly downMs: number };
  /** A worker is killed from outside, wherever it is then. */
  readonly shot?: { readonly afterMs: number; readonly worker: number };
  /** How long a stopped worker stays stopped. */
  readonly freezeMs: number;
}

/** Size from which a file has three chunks of 5 MiB. */
const THREE_CHUNKS_BYTES = 3 * 5_242_880;
const JOBS = 6;
const WORKERS = 2;

/**
 * Plans a round.
 * @param lockDurationMs workers are frozen for longer than this, so that others take over
 */
export function planRound(seed: number, round: number, lockDurationMs: number): PlannedRound {
  const random = seededRandom(seed * 1_000_003 + round);
  const jobs = Array.from({ length: JOBS }, () => planJob(random));
  const traps = Array.from({ length: WORKERS }, () =>
    Array.from({ length: random.int(1, 2) }, () => planTrap(random, lockDurationMs)),
  );
  // Chance alone would leave steps out: one worker's first kill goes through all of them, round by round.
  const [step, moment] = KILL_STEPS[round % KILL_STEPS.length] ?? ['claim', 'before'];
  traps[0]?.unshift({
    step,
    moment,
    nth: random.int(1, 2),
    action: 'kill',
    ...(moment === 'during' && { afterBytes: random.int(1, 5_242_880) }),
  });
  const outage = random.chance(0.25) ? { afterMs: random.int(0, 2_000), downMs: random.int(300, 4_000) } : undefined;
  const shot = random.chance(0.4) ? { afterMs: random.int(0, 6_000), worker: random.int(0, WORKERS - 1) } : undefined;
  return {
    jobs,
    traps,
    ...(shot !== undefined && { shot }),
    freezeMs: (lockDurationMs * random.int(11, 15)) / 10,
    ...(outage !== undefined && { redisOutage: outage }),
  };
}

function planJob(random: SeededRandom): PlannedJob {
  const source = random.chance(0.25) ? 'pull' : 'file';
  const mode = random.chance(0.7) ? 'direct' : 'inbox';
  const sizeBytes = random.chance(0.6) ? random.int(THREE_CHUNKS_BYTES, 16_000_000) : random.int(1_000, 10_000_000);
  const chunkCount = Math.max(1, Math.floor(sizeBytes / 5_242_880));
  const common = { source, mode, sizeBytes } as const;
  const enqueuer = random.chance(0.12) ? random.pick(['after', 'between']) : undefined;
  const expireTokenAt = random.chance(0.15) ? random.pick(['upload', 'status']) : undefined;
  const cancelAt = random.chance(0.08) ? random.pick(['init', 'upload', 'status']) : undefined;
  const refusedFor = random.chance(0.06) ? random.pick(['file_format_check_failed', 'spam_risk']) : undefined;
  const faults = random.chance(0.55) ? [planFault(random, source, mode, chunkCount)] : [];
  if (refusedFor !== undefined) faults.push({ ...refusal(source, mode, refusedFor) });
  return {
    ...common,
    faults,
    ...(enqueuer !== undefined && { enqueuer }),
    ...(expireTokenAt !== undefined && { expireTokenAt }),
    ...(cancelAt !== undefined && { cancelAt }),
    ...(refusedFor !== undefined && { refusedFor }),
  };
}

/** TikTok refuses the video once it has looked at it, whichever publish_id it came under. */
function refusal(source: PlannedJob['source'], mode: PlannedJob['mode'], failReason: string): PlannedFault {
  const act = { kind: 'fail_processing', failReason } as const;
  if (source === 'pull') return { endpoint: initOf(mode), when: { times: 'always' }, act };
  return { endpoint: 'upload', when: { lastChunk: true, times: 'always' }, act };
}

function planFault(
  random: SeededRandom,
  source: PlannedJob['source'],
  mode: PlannedJob['mode'],
  chunkCount: number,
): PlannedFault {
  const where =
    source === 'pull' ? random.pick(['init', 'status']) : random.pick(['init', 'upload', 'upload', 'status']);
  if (where === 'init') return { endpoint: initOf(mode), act: random.pick(INIT_ACTS) };
  if (where === 'status') return { endpoint: 'status', when: { nth: random.int(1, 2) }, act: random.pick(STATUS_ACTS) };
  const chunk = random.chance(0.4) ? { lastChunk: true } : { chunkIndex: random.int(0, chunkCount - 1) };
  return { endpoint: 'upload', when: chunk, act: planUploadAct(random) };
}

function initOf(mode: PlannedJob['mode']): 'video_init' | 'inbox_init' {
  return mode === 'direct' ? 'video_init' : 'inbox_init';
}

const INIT_ACTS: readonly [PlannedFault['act'], ...PlannedFault['act'][]] = [
  { kind: 'drop_before' },
  { kind: 'drop_after' },
  { kind: 'drop_after' },
  { kind: 'stall_after' },
  { kind: 'delay', ms: 700 },
  { kind: 'status', httpStatus: 503 },
  { kind: 'raw', httpStatus: 200, body: '{"data":{"publish_id":"v_pub' },
  { kind: 'fail_processing', failReason: 'internal' },
];

const STATUS_ACTS: readonly [PlannedFault['act'], ...PlannedFault['act'][]] = [
  { kind: 'drop_before' },
  { kind: 'drop_after' },
  { kind: 'stall_after' },
  { kind: 'status', httpStatus: 500 },
  { kind: 'status', httpStatus: 400, code: 'invalid_publish_id' },
  { kind: 'raw', httpStatus: 502, body: '<html>Bad gateway</html>' },
];

function planUploadAct(random: SeededRandom): PlannedFault['act'] {
  const afterBytes = random.int(0, 5_000_000);
  return random.pick<PlannedFault['act']>([
    { kind: 'drop_before' },
    { kind: 'drop_after' },
    { kind: 'drop_after' },
    { kind: 'drop_mid_body', afterBytes },
    { kind: 'stall', afterBytes },
    { kind: 'stall', afterBytes, ms: 700 },
    { kind: 'stall_after' },
    { kind: 'status', httpStatus: 500 },
    { kind: 'status', httpStatus: 503 },
    { kind: 'status', httpStatus: 416 },
  ]);
}

/** Steps at which a worker can be killed, before and after; the more often a step happens, the later the trap may be. */
const STEPS: readonly [readonly [string, number], ...(readonly [string, number])[]] = [
  ['claim', 8],
  ['accessToken', 8],
  ['commit:init_sent', 3],
  ['init', 3],
  ['commit:init_answered', 3],
  ['put', 8],
  ['note', 5],
  ['commit:last_chunk_started', 3],
  ['commit:upload_completed', 3],
  ['addStatusEntry', 3],
  ['fetchStatus', 6],
  ['commit:published', 2],
  ['commit:in_inbox', 1],
  ['addRecheckEntry', 1],
  ['commit:resumed', 2],
  ['commit:attempt_failed', 2],
  ['commit:poll_failed', 2],
  ['commit:handed_back', 1],
  ['addPublishEntryAnew', 1],
  ['bull:moveToActive', 10],
  ['bull:moveToDelayed', 5],
  ['bull:moveToFinished', 6],
  ['any', 120],
];

/** Every step before and after, and inside a chunk. */
export const KILL_STEPS: readonly (readonly [string, Trap['moment']])[] = [
  ['put', 'during'],
  ...STEPS.filter(([step]) => step !== 'any').flatMap(([step]) => [
    [step, 'before'] as const,
    [step, 'after'] as const,
  ]),
];

function planTrap(random: SeededRandom, lockDurationMs: number): Trap {
  const action = planAction(random);
  const end = action === 'block' ? { action, blockMs: (lockDurationMs * random.int(11, 13)) / 10 } : { action };
  if (random.chance(0.25)) {
    return { step: 'put', moment: 'during', nth: random.int(1, 6), afterBytes: random.int(0, 5_242_880), ...end };
  }
  const [step, latest] = random.pick(STEPS);
  return { step, moment: random.pick(['before', 'after']), nth: random.int(1, latest), ...end };
}

function planAction(random: SeededRandom): Trap['action'] {
  const roll = random.next();
  if (roll < 0.7) return 'kill';
  if (roll < 0.82) return 'stop';
  return roll < 0.9 ? 'block' : 'term';
}
