import { rm } from 'node:fs/promises';
import { eventually } from '../support/eventually.ts';
import { checkJob, type Evidence, type Finding, isEnded, isStanding } from './check-job.ts';
import { Disturbances } from './disturbances.ts';
import { accept, type EnqueuedJob, type PreparedJob, prepareJob } from './enqueue-job.ts';
import { evidenceOf } from './evidence.ts';
import { planRound } from './round-plan.ts';
import type { Stage } from './stage.ts';
import { WorkerSlot } from './worker-slot.ts';

const WORKERS = 2;
/** A job whose enqueuer died before the queue knew of it is found by the sweep. */
const ORPHAN_DEADLINE_MS = 90_000;
/** From when everything is well again: what does not get on for longer is stuck. */
const DEADLINE_MS = { single: 90_000, sentinel: 45_000, cluster: 45_000 } as const;

/** What gets on and still has no outcome after so many of them turns in circles. */
const MOST_DEADLINES = 4;

/** A job with everything known of it, and what is wrong with it. */
export interface JudgedJob {
  readonly round: number;
  readonly id: string;
  /** The account's, which no other job uses. */
  readonly openId: string;
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
}

/** One stage on which rounds are played one after the other. */
export class Lane {
  readonly slots: readonly WorkerSlot[];
  readonly disturbances: Disturbances;
  /** Accounts whose only job was refused, and so may be posted once or never. */
  readonly refused: { readonly openId: string; readonly round: number }[] = [];
  /** Jobs that were refused for too long. */
  readonly troubles: string[] = [];
  readonly #stage: Stage;
  readonly #seed: number;
  #orphans: { job: EnqueuedJob; outagesBefore: number }[] = [];

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#seed = seed;
    this.slots = Array.from({ length: WORKERS }, () => new WorkerSlot(stage));
    this.disturbances = new Disturbances(stage.topology, this.slots);
  }

  async start(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /** Plays a round to its end. @returns its jobs, but for those that wait for the sweep */
  async play(round: number): Promise<JudgedJob[]> {
    const { recovery, topology } = this.#stage;
    const { lockDurationMs } = recovery;
    const plan = planRound({ seed: this.#seed, round, lockDurationMs, topology: topology.kind });
    const outagesBefore = this.disturbances.outages;
    // While all is well: whether accounts survive is not what a round is about.
    const prepared = await Promise.all(
      plan.jobs.map(async (job, index) => await prepareJob(this.#stage, job, { round, name: `r${round}-j${index}` })),
    );
    for (const [index, slot] of this.slots.entries()) slot.begin(plan.traps[index] ?? [], plan.freezeMs);
    const disturbed = this.disturbances.play(round, plan);
    const jobs = await Promise.all(prepared.map(async (job) => await this.#enqueue(job)));
    await disturbed;
    const accepted = jobs.filter((job) => job !== undefined);
    const orphans = accepted.filter((job) => job.plan.enqueuer === 'between');
    this.#orphans.push(...orphans.map((job) => ({ job, outagesBefore })));
    const others = accepted.filter((job) => job.plan.enqueuer !== 'between');
    const deadlineMs = DEADLINE_MS[topology.kind];
    const judged = await Promise.all(others.map(async (job) => await this.#judge(job, outagesBefore, deadlineMs)));
    await Promise.all(this.slots.map((slot) => slot.finish()));
    if (judged.some(({ findings }) => findings.some(({ kind }) => kind === 'stuck'))) await this.#beginAfresh();
    return judged;
  }

  /**
   * Posts and drafts that came after their job was judged, as by a worker that woke up late. Only a job that had no
   * outcome, or whose outcome nobody knew, may still get one.
   */
  latePosts(judged: readonly JudgedJob[]): string[] {
    const standing = this.#stage.simulator.journal.publishes().filter(isStanding);
    const countOf = (openId: string): number => standing.filter((publish) => publish.openId === openId).length;
    const late = judged.flatMap(({ openId, id, evidence: { job, publishes } }) => {
      const before = publishes.filter(isStanding).length;
      const isOpen = job === undefined || !isEnded(job) || job.state === 'unconfirmed';
      const allowed = isOpen ? Math.max(1, before) : before;
      const now = countOf(openId);
      return now > allowed ? [`job ${id}: ${now} posts or drafts in the end, ${before} when it was over`] : [];
    });
    const twice = this.refused.flatMap(({ openId, round }) => {
      const count = countOf(openId);
      return count > 1 ? [`a job of round ${round} that was refused has ${count} posts or drafts`] : [];
    });
    return [...late, ...twice];
  }

  /** Waits for the jobs that only the sweep can find. */
  async judgeOrphans(): Promise<JudgedJob[]> {
    const judged: JudgedJob[] = [];
    // One after the other: each reads all events, which are many by now.
    for (const { job, outagesBefore } of this.#orphans.splice(0)) {
      judged.push(await this.#judge(job, outagesBefore, ORPHAN_DEADLINE_MS));
    }
    return judged;
  }

  /** What is stuck in a process must not spoil the rounds to come. */
  async #beginAfresh(): Promise<void> {
    for (const slot of this.slots) slot.signal('SIGKILL');
    await Promise.all(this.slots.map((slot) => slot.finish()));
  }

  async #enqueue(job: PreparedJob): Promise<EnqueuedJob | undefined> {
    const id = await accept(this.#stage, job);
    if (id !== undefined) return { ...job, id };
    this.refused.push({ openId: job.openId, round: job.round });
    if (job.plan.hasKey)
      this.troubles.push(`a job of round ${job.round} was refused again and again for three minutes`);
    return undefined;
  }

  async #judge(job: EnqueuedJob, outagesBefore: number, deadlineMs: number): Promise<JudgedJob> {
    const { id, round, openId } = job;
    // A job without an outcome by then is a finding like any other.
    await this.#outcomeOf(id, deadlineMs).catch(() => undefined);
    const outages = this.disturbances.outages - outagesBefore;
    const evidence = await evidenceOf(this.#stage, this.slots, job, outages);
    if (job.path !== undefined) await rm(job.path);
    return { round, id, openId, evidence, findings: checkJob(evidence) };
  }

  /**
   * Waits for its outcome for as long as it gets on: on a busy machine that may take much longer than on an idle one. Of a
   * job that is not there any more nothing is to be waited for: all is well again by now.
   */
  async #outcomeOf(id: string, deadlineMs: number): Promise<void> {
    let last = '';
    let since = performance.now();
    await eventually(
      async () => {
        const job = await this.#stage.lookUp(id);
        if (job === undefined || isEnded(job)) return true;
        const now = `${job.updatedAt} ${job.progress.sentBytes}`;
        if (now !== last) since = performance.now();
        last = now;
        return performance.now() - since > deadlineMs;
      },
      { timeoutMs: MOST_DEADLINES * deadlineMs, intervalMs: 100 },
    );
  }
}
