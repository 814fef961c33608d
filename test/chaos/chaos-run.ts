import { join } from 'node:path';
import type { Recovery } from '../../src/workers/runtime/recovery.ts';
import type { Evidence } from './check-job.ts';
import { type JudgedJob, Lane } from './lane.ts';
import { planRound } from './round-plan.ts';
import { seededRandom } from './seeded-random.ts';
import { type Stage, startStage } from './stage.ts';
import { type ChaosSummary, summarize } from './summary.ts';
import type { TopologyKind } from './topologies/topology.ts';

export type Report = (line: string) => void;

export interface ChaosOptions {
  /** Folder of the compiled modules. */
  readonly programs: string;
  readonly seed: number;
  readonly rounds: number;
  /** First round, to repeat one of an earlier run. */
  readonly from: number;
  /** Rounds played at the same time, each on a Redis and a TikTok of its own. */
  readonly lanes: number;
  readonly recovery: Recovery;
  readonly topology: TopologyKind;
  /** Replicas that must confirm what can't be taken back; by default as the topology has it. */
  readonly waitReplicas?: number | undefined;
  /** Told line by line. */
  readonly report: Report;
  readonly signal?: AbortSignal;
}

/** Plays rounds until all are over and sums them up; `brokenOff` are those that the harness itself could not play. */
export async function runChaos(
  options: ChaosOptions,
): Promise<ChaosSummary & { readonly brokenOff: readonly number[] }> {
  const { rounds, from, signal } = options;
  const waiting = Array.from({ length: rounds }, (_, index) => from + index);
  const open = await Promise.all(
    Array.from({ length: Math.min(options.lanes, rounds) }, async (_, index) => await openLane(options, index)),
  );
  const lanes = [...open];
  const judged: JudgedJob[] = [];
  const brokenOff: number[] = [];
  const keep = (jobs: readonly JudgedJob[]): void => {
    judged.push(...jobs);
    for (const job of jobs) if (job.findings.length > 0) reportFindings(job, options);
  };
  let isClean = false;

  /** Plays a round; if the harness itself fails, as on a machine that has no time, the rounds to come get another stage. */
  async function play(round: number, index: number): Promise<void> {
    const startedAt = performance.now();
    const current = open[index];
    if (current === undefined) return;
    try {
      const jobs = await current.lane.play(round);
      keep(jobs);
      options.report(describeRound(round, jobs, performance.now() - startedAt));
    } catch (error) {
      brokenOff.push(round);
      options.report(
        `!! round ${round} was broken off by the harness: ${error instanceof Error ? error.message : error}`,
      );
      await closeLane(current.lane, current.stage, false, options);
      const next = await openLane(options, index);
      open[index] = next;
      lanes.push(next);
    }
  }

  try {
    await Promise.all(
      open.map(async (_, index) => {
        for (let round = waiting.shift(); round !== undefined && !signal?.aborted; round = waiting.shift()) {
          await play(round, index);
        }
        keep((await open[index]?.lane.judgeOrphans()) ?? []);
      }),
    );
    const troubles = lanes.flatMap(({ lane }) => [...lane.troubles, ...lane.slots.flatMap((slot) => slot.troubles)]);
    for (const trouble of troubles) options.report(`!! ${trouble}`);
    const latePosts = lanes.flatMap(({ lane }) => lane.latePosts(judged));
    for (const latePost of latePosts) options.report(`!! ${latePost}`);
    isClean =
      troubles.length + latePosts.length + brokenOff.length === 0 &&
      judged.every(({ findings }) => findings.length === 0);
    const summary = summarize(
      options,
      judged,
      lanes.map(({ lane }) => lane),
    );
    return { ...summary, brokenOff };
  } finally {
    await Promise.all(open.map(async ({ lane, stage }) => await closeLane(lane, stage, isClean, options)));
  }
}

interface OpenLane {
  readonly lane: Lane;
  readonly stage: Stage;
}

/** What TikTok's documentation leaves open differs from lane to lane. */
async function openLane(options: ChaosOptions, index: number): Promise<OpenLane> {
  const { programs, seed, recovery, topology, waitReplicas } = options;
  const random = seededRandom(seed + index);
  const stage = await startStage({
    ...{ programs, recovery, topology, waitReplicas },
    simulator: {
      seed: seed + index,
      // A new refresh token is lost with the process that was just given it, whatever one does; then a person is needed.
      rotateRefreshTokens: false,
      switches: {
        contentRangeReading: index % 2 === 0 ? 'last-index' : 'count',
        contentRangeOn416: random.pick(['progress', 'absent']),
        repeatedChunk: random.pick(['416', 'success']),
        statusFields: random.pick(['omit-empty', 'all']),
      },
    },
  });
  const lane = new Lane(stage, seed);
  await lane.start();
  return { lane, stage };
}

async function closeLane(lane: Lane, stage: Stage, isClean: boolean, { report }: ChaosOptions): Promise<void> {
  for (const slot of lane.slots) slot.close();
  await stage.close({ keepFolder: !isClean });
  if (!isClean) report(`the workers' log is kept: ${join(stage.folder, 'workers.log')}`);
}

function describeRound(round: number, jobs: readonly JudgedJob[], durationMs: number): string {
  const states = jobs.map(({ evidence }) => evidence.job?.state ?? 'FORGOTTEN').join(' ');
  return `round ${round}: ${Math.round(durationMs / 100) / 10} s, ${states}`;
}

function reportFindings({ id, round, evidence, findings }: JudgedJob, options: ChaosOptions): void {
  const { seed, recovery, topology, report } = options;
  report(
    `\n!! job ${id} of round ${round}; to repeat it: npm run chaos -- --topology ${topology} --seed ${seed} --from ${round} --rounds 1`,
  );
  for (const { kind, text } of findings) report(`   ${kind}: ${text}`);
  const { jobs: _, ...disturbances } = planRound({ seed, round, topology, lockDurationMs: recovery.lockDurationMs });
  report(`   disturbances of the round: ${JSON.stringify(disturbances)}`);
  tellJob(evidence, report);
}

/** Everything that is known of a job. */
export function tellJob({ plan, job, requests, publishes, events, interruptions }: Evidence, report: Report): void {
  report(`   plan of the job: ${JSON.stringify(plan)}`);
  report(`   interruptions: ${interruptions}; state ${job?.state} ${JSON.stringify(job?.failure)}`);
  for (const entry of job?.timeline ?? []) report(`   timeline ${JSON.stringify(entry)}`);
  for (const entry of requests) report(`   tiktok ${new Date(entry.at).toISOString()} ${JSON.stringify(entry)}`);
  for (const publish of publishes) report(`   publish ${JSON.stringify(publish)}`);
  report(`   events ${events.map(({ type, time }) => `${type} ${time}`).join(', ')}`);
}
