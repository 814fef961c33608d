import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishJob } from '../../src/core/publish-job.ts';
import { type Finding, isEnded } from '../chaos/check-job.ts';
import { accept, type EnqueuedJob, type PreparedJob, prepareJob } from '../chaos/enqueue-job.ts';
import type { Stage } from '../chaos/stage.ts';
import type { WorkerSlot } from '../chaos/worker-slot.ts';
import type { Bystander } from './bystander.ts';
import type { PlannedCase } from './plan-case.ts';

/** The jobs of a case at their end. */
export interface CaseRun {
  readonly jobs: readonly EnqueuedJob[];
  readonly givenUp: ReadonlySet<string>;
  /** Jobs that were not accepted, or were and should not have been. */
  readonly findings: readonly Finding[];
}

/** What takes longer is stuck, also on a busy machine. */
const DEADLINE_MS = 900_000;
const PAUSE_MS = 150;

/** Enqueues the jobs of a case, arms the trap, and waits until all have ended. */
export async function runJobs(
  stage: Stage,
  slots: readonly WorkerSlot[],
  { jobs, trap }: PlannedCase,
  bystander: Bystander,
): Promise<CaseRun> {
  const prepared = new Map<string, PreparedJob>();
  for (const { name, plan, after } of jobs) {
    const shared = after === undefined ? undefined : prepared.get(after);
    prepared.set(name, await prepareJob(stage, plan, { round: 0, name, shared }));
  }
  bystander.sets(trap);
  const accepted = new Map<string, EnqueuedJob>();
  const states = new Map<string, PublishJob>();
  const findings: Finding[] = await refusesBranded(stage, [...prepared.values()]);
  const hasEnded = (name: string): boolean => {
    const state = states.get(name);
    return state !== undefined && isEnded(state);
  };
  const isDue = ({ name, after }: PlannedCase['jobs'][number]): boolean =>
    !accepted.has(name) && (after === undefined || hasEnded(after));

  for (const deadline = performance.now() + DEADLINE_MS; performance.now() < deadline; await sleep(PAUSE_MS)) {
    await Promise.all(
      jobs.filter(isDue).map(async ({ name }) => {
        const job = prepared.get(name);
        const id = job === undefined ? undefined : await accept(stage, job);
        if (job !== undefined && id !== undefined) accepted.set(name, { ...job, id });
      }),
    );
    for (const [name, { id }] of accepted) {
      const state = hasEnded(name) ? undefined : await stage.lookUp(id);
      if (state !== undefined) states.set(name, state);
    }
    const open = [...accepted].flatMap(([name, job]) => {
      const state = states.get(name);
      return state === undefined || isEnded(state) ? [] : [{ ...job, state }];
    });
    await bystander.look(open);
    if (accepted.size === jobs.length && open.length === 0) break;
  }
  for (const { name } of jobs) {
    if (!accepted.has(name))
      findings.push({ kind: 'stuck', text: `${name} was never accepted, or its turn never came` });
  }
  // What a killed process has left behind is over before anything is judged.
  await Promise.all(slots.map((slot) => slot.finish()));
  return { jobs: [...accepted.values()], givenUp: bystander.givenUp, findings };
}

/** Branded content that only its creator may see is refused before it is a job. */
async function refusesBranded({ publisher }: Stage, [job]: readonly PreparedJob[]): Promise<Finding[]> {
  if (job?.path === undefined) return [];
  const { account, path } = job;
  const post = { privacyLevel: 'SELF_ONLY', brandContent: true } as const;
  const isRefused = await publisher.enqueue({ account, mode: 'direct', media: { type: 'file', path }, post }).then(
    () => false,
    () => true,
  );
  return isRefused ? [] : [{ kind: 'rule', text: 'branded content with SELF_ONLY was accepted' }];
}
