import type { DirectPostSettings } from '../../src/core/new-request.ts';
import type { Simulator } from '../../src/simulator/index.ts';
import { type PlannedFault, planFault, provocationOf, refusal } from './fault-plan.ts';
import { type ProcessLinkFault, planLinkFault } from './link-plan.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { type NodeFault, planNodeFault } from './topologies/node-fault.ts';
import type { TopologyKind } from './topologies/topology.ts';
import { KILL_STEPS, planTrap } from './trap-plan.ts';
import type { Trap } from './traps.ts';

/** One job of a round, and what goes wrong with it. */
export interface PlannedJob {
  readonly mode: 'direct' | 'inbox';
  readonly source: 'file' | 'pull' | 'photos';
  /** Enqueued with an idempotency key, and so again until it is accepted; without one only once. */
  readonly hasKey: boolean;
  /** How the worker comes to the file: from its disk, or from a web server by ranges. */
  readonly via: 'disk' | 'web';
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
  /** Settings of the post beside its title; by default it is public. */
  readonly post?: DirectPostSettings;
  /** What is special about the creator. */
  readonly profile?: Parameters<Simulator['addAccount']>[0];
  /** A video that exists, instead of random bytes. */
  readonly video?: string;
  /** From where TikTok pulls: by default a host that it only pretends to ask, else our web server, or where nobody answers. */
  readonly pulledFrom?: 'site' | 'nowhere';
}

/** What happens in one round; follows from the seed alone. */
export interface PlannedRound {
  readonly jobs: readonly PlannedJob[];
  /** Per worker process, one after the other: the next is set when the one before has acted. */
  readonly traps: readonly (readonly Trap[])[];
  /** One node at a time: that is what is promised. */
  readonly nodeFault?: NodeFault;
  readonly linkFault?: ProcessLinkFault;
  /** Sent to a worker from outside, wherever it is then. */
  readonly signal?: { readonly name: 'SIGKILL' | 'SIGTERM'; readonly afterMs: number; readonly worker: number };
  /** How long a stopped worker stays stopped. */
  readonly freezeMs: number;
}

const CHUNK_BYTES = 5_242_880;
const THREE_CHUNKS_BYTES = 3 * CHUNK_BYTES;
const JOBS = 6;
const WORKERS = 2;

export interface RoundOptions {
  readonly seed: number;
  readonly round: number;
  /** Workers are frozen for longer than this, so that others take over. */
  readonly lockDurationMs: number;
  readonly topology: TopologyKind;
}

/** Plans a round. */
export function planRound({ seed, round, lockDurationMs, topology }: RoundOptions): PlannedRound {
  const random = seededRandom(seed * 1_000_003 + round);
  // Chance alone would leave steps out: one worker's first kill goes through all of them, round by round.
  const [step, moment] = KILL_STEPS[round % KILL_STEPS.length] ?? ['claim', 'before'];
  const first: Trap = { step, moment, nth: 1, action: 'kill' };
  const afterBytes = random.int(1, CHUNK_BYTES);
  const jobs = Array.from({ length: JOBS }, () => planJob(random, step));
  const traps = Array.from({ length: WORKERS }, () =>
    Array.from({ length: random.int(1, 2) }, () => planTrap(random, lockDurationMs)),
  );
  traps[0]?.unshift(moment === 'during' ? { ...first, afterBytes } : first);
  const nodeFault = planNodeFault(random, topology, seed + round);
  const linkFault = planLinkFault(random);
  const signal = step === 'commit:handed_back' ? DRAIN : planSignal(random);
  return {
    jobs,
    traps,
    freezeMs: (lockDurationMs * random.int(11, 15)) / 10,
    ...(signal !== undefined && { signal }),
    ...(nodeFault !== undefined && { nodeFault }),
    ...(linkFault !== undefined && { linkFault }),
  };
}

/** Comes when uploads are under way. */
const DRAIN = { name: 'SIGTERM', afterMs: 2_500, worker: 0 } as const;

function planSignal(random: SeededRandom): PlannedRound['signal'] {
  if (random.chance(0.5)) return undefined;
  const name = random.chance(0.75) ? 'SIGKILL' : 'SIGTERM';
  return { name, afterMs: random.int(0, 6_000), worker: random.int(0, WORKERS - 1) };
}

/** @param step the round is about; a fault may have to lead there */
function planJob(random: SeededRandom, step: string): PlannedJob {
  const source = random.pick(['file', 'file', 'file', 'file', 'file', 'pull', 'photos']);
  const mode = random.chance(0.7) ? 'direct' : 'inbox';
  const sizeBytes = random.chance(0.6) ? random.int(THREE_CHUNKS_BYTES, 16_000_000) : random.int(1_000, 10_000_000);
  const subject = { source, mode, sizeBytes } as const;
  const enqueuer = random.chance(0.12) ? random.pick(['after', 'between']) : undefined;
  const expireTokenAt = random.chance(0.15) ? random.pick(['upload', 'status']) : undefined;
  const cancelAt = random.chance(0.08) ? random.pick(['init', 'upload', 'status']) : undefined;
  const refusedFor = random.chance(0.06) ? random.pick(['file_format_check_failed', 'spam_risk']) : undefined;
  const fault = random.chance(0.55) ? planFault(random, subject) : undefined;
  const refused = refusedFor === undefined ? undefined : refusal(subject, refusedFor);
  return {
    ...subject,
    hasKey: enqueuer !== undefined || random.chance(0.7),
    via: random.chance(0.35) ? 'web' : 'disk',
    faults: [provocationOf(step, subject), fault, refused].filter((planned) => planned !== undefined),
    ...(enqueuer !== undefined && { enqueuer }),
    ...(expireTokenAt !== undefined && { expireTokenAt }),
    ...(cancelAt !== undefined && { cancelAt }),
    ...(refusedFor !== undefined && { refusedFor }),
  };
}
