import { checkJob, type Evidence, type Finding, isStanding } from '../chaos/check-job.ts';
import { evidenceOf } from '../chaos/evidence.ts';
import { type Stage, startStage } from '../chaos/stage.ts';
import { WorkerSlot } from '../chaos/worker-slot.ts';
import { Bystander } from './bystander.ts';
import { explain } from './explain.ts';
import type { CaseValues } from './factors.ts';
import { type PlannedCase, planCase } from './plan-case.ts';
import { type CaseRun, runJobs } from './run-jobs.ts';

/** A job of a case, and what is wrong with it. */
interface PlayedJob {
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
}

/** What came of a case. */
export interface PlayedCase {
  readonly jobs: readonly PlayedJob[];
  /** What is wrong beside single jobs. */
  readonly findings: readonly Finding[];
  /** Posts and drafts that stand. */
  readonly postCount: number;
  readonly lostReplyCount: number;
  readonly killCount: number;
  /** Where the workers' log is, if something is wrong. */
  readonly folder: string;
}

const WORKERS = 2;
/** A dead worker is noticed soon, and one on a busy machine is not taken for dead. */
const RECOVERY = { lockDurationMs: 6_000, stalledIntervalMs: 2_000, sweepEveryMs: 2_000 } as const;

/** Plays one case on a Redis, a simulator and workers of its own. */
export async function playCase(programs: string, values: CaseValues, seed: number): Promise<PlayedCase> {
  const plan = planCase(values, seed);
  const { chunkSizeBytes, outcomeWithinMs, simulator } = plan;
  const worker = { preflight: 'warn', pace: 'steady', chunkSizeBytes, outcomeWithinMs } as const;
  const stage = await startStage({ programs, simulator, hasSite: true, worker, recovery: RECOVERY });
  const slots = Array.from({ length: WORKERS }, () => new WorkerSlot(stage));
  let isClean = false;
  try {
    if (values.webhooks !== 'none') {
      const duplicates = values.webhooks === 'once' ? 0 : 0.5;
      stage.simulator.sendWebhooksTo({ url: `${stage.publicBaseUrl}/webhooks/tiktok`, duplicates, firstRetryMs: 500 });
    }
    await Promise.all(slots.map((slot) => slot.start()));
    const run = await runJobs(stage, slots, plan, new Bystander(stage, slots, values));
    const played = await judge(stage, slots, { plan, values, run });
    isClean = played.findings.length === 0 && played.jobs.every(({ findings }) => findings.length === 0);
    return played;
  } finally {
    for (const slot of slots) slot.close();
    await stage.close({ keepFolder: !isClean });
  }
}

async function judge(
  stage: Stage,
  slots: readonly WorkerSlot[],
  { plan, values, run }: { readonly plan: PlannedCase; readonly values: CaseValues; readonly run: CaseRun },
): Promise<PlayedCase> {
  const { journal } = stage.simulator;
  const jobs = await Promise.all(
    run.jobs.map(async (job) => {
      const isShared = run.jobs.filter(({ openId }) => openId === job.openId).length > 1;
      const all = await evidenceOf(stage, slots, job, 0);
      const evidence = explain(isShared ? onlyOf(job.name, all) : all, { values, wasGivenUp: run.givenUp.has(job.id) });
      return { evidence, findings: checkJob(evidence) };
    }),
  );
  const killCount = slots.reduce((sum, { counts }) => sum + counts.kills, 0);
  const lostReplyCount = journal.entries.filter(({ fault }) => fault === values.lostBy).length;
  return {
    jobs,
    findings: [
      ...run.findings,
      ...checkRules(
        stage,
        values,
        jobs.map(({ evidence }) => evidence),
      ),
      ...checkRepeats(stage, run),
      ...slots.flatMap(({ troubles }) => troubles.map((text): Finding => ({ kind: 'process', text }))),
      ...(killCount > 0
        ? []
        : [{ kind: 'process', text: `no worker came to ${plan.trap.moment} ${plan.trap.step}` } as const]),
      ...(lostReplyCount > 0 ? [] : [{ kind: 'process', text: 'no reply was lost' } as const]),
    ],
    postCount: journal.publishes().filter(isStanding).length,
    ...{ lostReplyCount, killCount, folder: stage.folder },
  };
}

/** What one job of several of an account has done at TikTok: nothing but an unfinished upload leaves no trace of whose it is. */
function onlyOf(name: string, evidence: Evidence): Evidence {
  const { sha256, job } = evidence;
  const known = new Set(job?.timeline.map(({ publishId }) => publishId));
  const publishes = evidence.publishes.filter(
    (publish) => publish.title === name || publish.sha256 === sha256 || known.has(publish.publishId),
  );
  const ids = new Set(publishes.map(({ publishId }) => publishId));
  return { ...evidence, publishes, requests: evidence.requests.filter(({ publishId = '' }) => ids.has(publishId)) };
}

/** Rules of TikTok's contract that the workers broke. */
function checkRules(
  { simulator }: Stage,
  { initPerMinute, switches }: CaseValues,
  evidences: readonly Evidence[],
): Finding[] {
  // Nobody can know of limits that TikTok tells nowhere: fewer inits than documented, less than the
  // creator may post; and nobody can ask for what TikTok has forgotten.
  const unknowable = [
    ...(initPerMinute < 6 ? ['calls-per-minute'] : []),
    ...(switches.directDuration === 'ten-minutes' ? ['video-length'] : []),
    ...(switches.publishIdLifetimeMs > 0 ? ['outcome-learnt'] : []),
  ];
  const knownIds = evidences.flatMap(({ job }) => job?.timeline ?? []).map((entry) => entry.publishId);
  // Nor ask for, or keep media for, what began by an init whose answer was lost or came to a dead worker.
  const isKnown = (what: string): boolean => !/^[vp]_/.test(what) || knownIds.some((id) => what.startsWith(`${id}:`));
  return simulator.conformance().rules.flatMap(({ id, brokenCount, findings }): Finding[] => {
    const broken = brokenCount > findings.length ? findings : findings.filter(({ what }) => isKnown(what));
    return broken.length === 0 || unknowable.includes(id)
      ? []
      : [{ kind: 'rule', text: `${id}: ${JSON.stringify(broken)}` }];
  });
}

/** The same bytes twice on one account, whichever job they belong to. */
function checkRepeats({ simulator }: Stage, { jobs }: CaseRun): Finding[] {
  const standing = simulator.journal.publishes().filter(isStanding);
  return [...new Set(jobs.map(({ openId }) => openId))].flatMap((openId): Finding[] => {
    const count = standing.filter((publish) => publish.openId === openId).length;
    const jobCount = jobs.filter((job) => job.openId === openId).length;
    return count > jobCount ? [{ kind: 'duplicate', text: `${count} posts for ${jobCount} jobs of ${openId}` }] : [];
  });
}
