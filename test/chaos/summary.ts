import { percentile } from '../../src/core/percentile.ts';
import type { ChaosOptions } from './chaos-run.ts';
import { type FindingKind, resentBytes } from './check-job.ts';
import type { JudgedJob, Lane } from './lane.ts';
import { recoveriesOf } from './recovery-times.ts';
import type { TopologyKind } from './topologies/topology.ts';
import { KILL_STEPS } from './trap-plan.ts';

/** What came out of a run. */
export interface ChaosSummary {
  readonly topology: TopologyKind;
  /** As told; `default` leaves it to the product. */
  readonly waitReplicas: number | 'default';
  readonly seed: number;
  readonly rounds: number;
  readonly jobs: number;
  /** Enqueues without an idempotency key that failed: nobody was promised anything. */
  readonly refused: number;
  readonly kills: number;
  readonly freezes: number;
  readonly blocks: number;
  readonly drains: number;
  /** Faults of Redis and of the paths to it, by kind. */
  readonly redisFaults: Readonly<Record<string, number>>;
  readonly tiktokFaults: number;
  readonly duplicates: number;
  /** Accepted, and then unknown to the product. */
  readonly forgotten: number;
  /** Without an outcome long after all was well again, or refused all that time. */
  readonly stuck: number;
  /** Failed or cancelled for no reason. */
  readonly losses: number;
  readonly wrongStates: number;
  readonly wrongBytes: number;
  /** Processes that ended otherwise than they were made to. */
  readonly unexplainedEnds: number;
  readonly maxResentBytes: number;
  readonly resentBytes: number;
  /** From a worker's death, or from when Redis could serve again, until the job was worked on or over. */
  readonly recoveryMs: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number };
  readonly outcomes: Readonly<Record<string, number>>;
  /** Named steps at which no worker was killed. */
  readonly stepsWithoutKill: readonly string[];
}

/** What must be zero for a run to pass. */
export function faultsIn(summary: ChaosSummary): Readonly<Record<string, number>> {
  const { duplicates, forgotten, stuck, losses, wrongStates, wrongBytes, unexplainedEnds } = summary;
  return { duplicates, forgotten, stuck, losses, wrongStates, wrongBytes, unexplainedEnds };
}

/** Sums a run up. */
export function summarize(options: ChaosOptions, judged: readonly JudgedJob[], lanes: readonly Lane[]): ChaosSummary {
  const { seed, topology, waitReplicas, report } = options;
  const slots = lanes.flatMap((lane) => lane.slots);
  const findings = judged.flatMap((job) => job.findings);
  const count = (kind: FindingKind): number => findings.filter((finding) => finding.kind === kind).length;
  const resent = judged.map(({ evidence }) => resentBytes(evidence.publishes));
  const slowest = recoveriesOf(judged, lanes).sort((a, b) => b.lastedMs - a.lastedMs);
  for (const { id, round, after, at, lastedMs } of slowest.slice(0, 3)) {
    report(`slow recovery: job ${id} of round ${round}, ${lastedMs} ms from ${after} at ${new Date(at).toISOString()}`);
  }
  const durations = slowest.map(({ lastedMs }) => lastedMs).reverse();
  const killedAt = new Set(slots.flatMap((slot) => [...slot.killedAt.keys()]));
  return {
    ...{ topology, waitReplicas: waitReplicas ?? 'default', seed },
    rounds: new Set(judged.map(({ round }) => round)).size,
    jobs: judged.length,
    refused: sum(lanes.map(({ refused }) => refused.length)),
    kills: sum(slots.map(({ counts }) => counts.kills)),
    freezes: sum(slots.map(({ counts }) => counts.freezes)),
    blocks: sum(slots.map(({ counts }) => counts.blocks)),
    drains: sum(slots.map(({ counts }) => counts.drains)),
    redisFaults: tally(lanes.flatMap(({ disturbances }) => disturbances.kinds)),
    tiktokFaults: sum(judged.map(({ evidence }) => evidence.requests.filter(({ fault }) => fault).length)),
    duplicates: count('duplicate') + sum(lanes.map((lane) => lane.latePosts(judged).length)),
    forgotten: count('forgotten'),
    stuck: count('stuck') + sum(lanes.map(({ troubles }) => troubles.length)),
    losses: count('loss'),
    wrongStates: count('wrong_state'),
    wrongBytes: count('bytes'),
    unexplainedEnds: sum(slots.map(({ troubles }) => troubles.length)),
    maxResentBytes: Math.max(0, ...resent),
    resentBytes: sum(resent),
    recoveryMs: {
      count: durations.length,
      p50: percentile(durations, 0.5) || 0,
      p99: percentile(durations, 0.99) || 0,
      max: Math.max(0, ...durations),
    },
    outcomes: tally(judged.map(({ evidence }) => evidence.job?.state ?? 'forgotten')),
    stepsWithoutKill: KILL_STEPS.map(([step, moment]) => `${moment} ${step}`).filter((step) => !killedAt.has(step)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
