import { join } from 'node:path';
import type { Recovery } from '../../src/workers/recovery.ts';
import { resentBytes } from './check-job.ts';
import { type JudgedJob, Lane } from './lane.ts';
import { planRound } from './round-plan.ts';
import { seededRandom } from './seeded-random.ts';
import { type Stage, startStage } from './stage.ts';
import { KILL_STEPS } from './trap-plan.ts';

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
  /** Told line by line. */
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** What came out of a run. */
export interface ChaosSummary {
  readonly seed: number;
  readonly rounds: number;
  readonly jobs: number;
  readonly kills: number;
  readonly freezes: number;
  readonly blocks: number;
  readonly drains: number;
  readonly redisRestarts: number;
  readonly tiktokFaults: number;
  readonly duplicates: number;
  readonly losses: number;
  readonly wrongStates: number;
  readonly wrongBytes: number;
  /** Processes that ended otherwise than they were made to. */
  readonly unexplainedEnds: number;
  readonly maxResentBytes: number;
  /** From a worker's death until another one owned its job, the slowest of all. */
  readonly slowestRecoveryMs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Named steps at which no worker was killed. */
  readonly stepsWithoutKill: readonly string[];
}

/** Plays rounds until all are over and sums them up. */
export async function runChaos(options: ChaosOptions): Promise<ChaosSummary> {
  const { rounds, from, signal } = options;
  const waiting = Array.from({ length: rounds }, (_, index) => from + index);
  const lanes = await Promise.all(
    Array.from({ length: Math.min(options.lanes, rounds) }, async (_, index) => await openLane(options, index)),
  );
  const judged: JudgedJob[] = [];
  const keep = (jobs: readonly JudgedJob[]): void => {
    judged.push(...jobs);
    for (const job of jobs) if (job.findings.length > 0) reportFindings(job, options);
  };
  let isClean = false;
  try {
    await Promise.all(
      lanes.map(async ({ lane }) => {
        for (let round = waiting.shift(); round !== undefined && !signal?.aborted; round = waiting.shift()) {
          const startedAt = performance.now();
          const jobs = await lane.play(round);
          keep(jobs);
          options.report(describeRound(round, jobs, performance.now() - startedAt));
        }
        keep(await lane.judgeOrphans());
      }),
    );
    const troubles = lanes.flatMap(({ lane }) => lane.slots.flatMap((slot) => slot.troubles));
    for (const trouble of troubles) options.report(`!! ${trouble}`);
    const latePosts = lanes.flatMap(({ lane }) => lane.latePosts(judged));
    for (const latePost of latePosts) options.report(`!! ${latePost}`);
    isClean = troubles.length + latePosts.length === 0 && judged.every(({ findings }) => findings.length === 0);
    return summarize(
      options,
      judged,
      lanes.map(({ lane }) => lane),
    );
  } finally {
    await Promise.all(lanes.map(async ({ lane, stage }) => await closeLane(lane, stage, isClean, options)));
  }
}

interface OpenLane {
  readonly lane: Lane;
  readonly stage: Stage;
}

/** What TikTok's documentation leaves open differs from lane to lane. */
async function openLane({ programs, seed, recovery }: ChaosOptions, index: number): Promise<OpenLane> {
  const random = seededRandom(seed + index);
  const stage = await startStage({
    programs,
    recovery,
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

function summarize(
  { seed, rounds, report }: ChaosOptions,
  judged: readonly JudgedJob[],
  lanes: readonly Lane[],
): ChaosSummary {
  const slots = lanes.flatMap((lane) => lane.slots);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const findings = judged.flatMap((job) => job.findings);
  const count = (kind: string): number => findings.filter((finding) => finding.kind === kind).length;
  const outcomes: Record<string, number> = {};
  for (const { evidence } of judged) outcomes[evidence.job.state] = (outcomes[evidence.job.state] ?? 0) + 1;
  const slowest = orphanagesOf(judged, lanes).sort((a, b) => b.lastedMs - a.lastedMs);
  for (const orphanage of slowest.slice(0, 3)) report(describeOrphanage(orphanage));
  const killedAt = new Set(slots.flatMap((slot) => [...slot.killedAt.keys()]));
  const steps = KILL_STEPS.map(([step, moment]) => `${moment} ${step}`);
  return {
    ...{ seed, rounds, jobs: judged.length, outcomes },
    stepsWithoutKill: steps.filter((step) => !killedAt.has(step)),
    kills: sum(slots.map(({ counts }) => counts.kills)),
    freezes: sum(slots.map(({ counts }) => counts.freezes)),
    blocks: sum(slots.map(({ counts }) => counts.blocks)),
    drains: sum(slots.map(({ counts }) => counts.drains)),
    redisRestarts: sum(lanes.map(({ redisRestarts }) => redisRestarts)),
    tiktokFaults: sum(judged.map(({ evidence }) => evidence.requests.filter(({ fault }) => fault).length)),
    duplicates: count('duplicate') + sum(lanes.map((lane) => lane.latePosts(judged).length)),
    losses: count('loss'),
    wrongStates: count('wrong_state'),
    wrongBytes: count('bytes'),
    unexplainedEnds: sum(slots.map(({ troubles }) => troubles.length)),
    maxResentBytes: Math.max(0, ...judged.map(({ evidence }) => resentBytes(evidence.publishes))),
    slowestRecoveryMs: slowest[0]?.lastedMs ?? 0,
  };
}

/** How long a job had no owner after its worker was killed. */
interface Orphanage {
  readonly id: string;
  readonly round: number;
  readonly killedAt: number;
  readonly lastedMs: number;
}

/** For each job that a killed worker had and that was not over: how long until a worker owned it again. */
function orphanagesOf(judged: readonly JudgedJob[], lanes: readonly Lane[]): Orphanage[] {
  const slots = lanes.flatMap((lane) => lane.slots);
  const deaths = slots.flatMap((slot) => slot.deaths);
  const claims = slots.flatMap((slot) => slot.claims);
  return judged.flatMap(({ round, evidence: { job, events } }) => {
    const { id } = job;
    const endedAt = Date.parse(events.find(({ type }) => type === `publish.${job.state}`)?.time ?? '');
    const ofJob = claims.filter((claim) => claim.id === id).sort((a, b) => a.at - b.at);
    return deaths
      .filter(({ at, pid }) => at < endedAt && ofJob.findLast((claim) => claim.at <= at)?.pid === pid)
      .flatMap(({ at }) => {
        const next = ofJob.find((claim) => claim.at > at);
        return next === undefined ? [] : [{ id, round, killedAt: at, lastedMs: next.at - at }];
      });
  });
}

function describeOrphanage({ id, round, killedAt, lastedMs }: Orphanage): string {
  return `slow recovery: job ${id} of round ${round}, ${lastedMs} ms from ${new Date(killedAt).toISOString()}`;
}

function describeRound(round: number, jobs: readonly JudgedJob[], durationMs: number): string {
  const states = jobs.map(({ evidence }) => evidence.job.state).join(' ');
  return `round ${round}: ${Math.round(durationMs / 100) / 10} s, ${states}`;
}

function reportFindings({ round, evidence, findings }: JudgedJob, { seed, recovery, report }: ChaosOptions): void {
  const { job, requests, publishes, events, interruptions } = evidence;
  report(
    `\n!! job ${job.id} of round ${round}; to repeat it: npm run chaos -- --seed ${seed} --from ${round} --rounds 1`,
  );
  for (const { kind, text } of findings) report(`   ${kind}: ${text}`);
  report(`   plan of the job: ${JSON.stringify(evidence.plan)}`);
  const { jobs: _, ...disturbances } = planRound(seed, round, recovery.lockDurationMs);
  report(`   disturbances of the round: ${JSON.stringify(disturbances)}`);
  report(`   interruptions: ${interruptions}; state ${job.state} ${JSON.stringify(job.failure)}`);
  for (const entry of job.timeline) report(`   timeline ${JSON.stringify(entry)}`);
  for (const entry of requests) report(`   tiktok ${new Date(entry.at).toISOString()} ${JSON.stringify(entry)}`);
  for (const publish of publishes) report(`   publish ${JSON.stringify(publish)}`);
  report(`   events ${events.map(({ type, time }) => `${type} ${time}`).join(', ')}`);
}
