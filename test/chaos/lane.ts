import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { eventually } from '../support/eventually.ts';
import { makeVideo, sha256OfFile } from '../support/videos.ts';
import { checkJob, type Evidence, type Finding, isStanding } from './check-job.ts';
import { type PlannedJob, type PlannedRound, planRound } from './round-plan.ts';
import { PULL_PREFIX, type Stage } from './stage.ts';
import { WorkerSlot } from './worker-slot.ts';

const WORKERS = 2;
const ROUND_DEADLINE_MS = 90_000;
/** A job whose enqueuer died before the queue knew of it is found by the sweep. */
const ORPHAN_DEADLINE_MS = 90_000;

/** A job that was accepted, and how to judge it. */
interface RunningJob {
  readonly id: string;
  readonly plan: PlannedJob;
  readonly round: number;
  readonly openId: string;
  readonly path: string | undefined;
  readonly sha256: string | undefined;
}

/** A job with everything known of it, and what is wrong with it. */
export interface JudgedJob {
  readonly round: number;
  /** The account's, which no other job uses. */
  readonly openId: string;
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
}

/** One stage on which rounds are played one after the other. */
export class Lane {
  readonly slots: readonly WorkerSlot[];
  readonly #stage: Stage;
  readonly #seed: number;
  /** Interruptions that hit every job, whoever worked on it. */
  #redisRestarts = 0;
  #orphans: { job: RunningJob; outagesBefore: number }[] = [];

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#seed = seed;
    this.slots = Array.from({ length: WORKERS }, () => new WorkerSlot(stage));
  }

  async start(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /** Plays a round to its end. @returns its jobs, but for those that wait for the sweep */
  async play(round: number): Promise<JudgedJob[]> {
    const plan = planRound(this.#seed, round, this.#stage.recovery.lockDurationMs);
    const outagesBefore = this.#redisRestarts;
    for (const [index, slot] of this.slots.entries()) slot.begin(plan.traps[index] ?? [], plan.freezeMs);
    const disturbances = [this.#breakRedis(plan), this.#signal(plan)];
    const jobs = await Promise.all(
      plan.jobs.map(async (job, index) => await this.#enqueue(job, round, `r${round}-j${index}`)),
    );
    const orphans = jobs.filter((job) => job.plan.enqueuer === 'between');
    this.#orphans.push(...orphans.map((job) => ({ job, outagesBefore })));
    const others = jobs.filter((job) => job.plan.enqueuer !== 'between');
    const judged = await Promise.all(
      others.map(async (job) => await this.#judge(job, outagesBefore, ROUND_DEADLINE_MS)),
    );
    await Promise.all(disturbances);
    await Promise.all(this.slots.map((slot) => slot.finish()));
    return judged;
  }

  get redisRestarts(): number {
    return this.#redisRestarts;
  }

  /**
   * Posts and drafts that came after their job was judged, as by a worker that woke up late. Only an unconfirmed job
   * may still get one: nobody knew whether its init had gone out.
   */
  latePosts(judged: readonly JudgedJob[]): string[] {
    const standing = this.#stage.simulator.journal.publishes().filter(isStanding);
    return judged.flatMap(({ openId, evidence }) => {
      const now = standing.filter((publish) => publish.openId === openId).length;
      const before = evidence.publishes.filter(isStanding).length;
      const allowed = evidence.job.state === 'unconfirmed' ? 1 : before;
      return now > allowed
        ? [`job ${evidence.job.id}: ${now} posts or drafts in the end, ${before} when it was over`]
        : [];
    });
  }

  /** Waits for the jobs that only the sweep can find. */
  async judgeOrphans(): Promise<JudgedJob[]> {
    const orphans = this.#orphans.splice(0);
    return await Promise.all(
      orphans.map(async ({ job, outagesBefore }) => await this.#judge(job, outagesBefore, ORPHAN_DEADLINE_MS)),
    );
  }

  async #signal({ signal }: PlannedRound): Promise<void> {
    if (signal === undefined) return;
    await sleep(signal.afterMs);
    this.slots[signal.worker]?.signal(signal.name);
  }

  async #breakRedis({ redisOutage }: PlannedRound): Promise<void> {
    if (redisOutage === undefined) return;
    await sleep(redisOutage.afterMs);
    this.#redisRestarts += 1;
    await this.#stage.redis.kill();
    await sleep(redisOutage.downMs);
    await this.#stage.redis.restart();
  }

  async #enqueue(plan: PlannedJob, round: number, name: string): Promise<RunningJob> {
    const { simulator, folder } = this.#stage;
    const path = plan.source === 'file' ? await makeVideo(folder, plan.sizeBytes, `${name}.mp4`) : undefined;
    const sha256 = path === undefined ? undefined : await sha256OfFile(path);
    const openId = await this.#stage.addAccount(name);
    for (const { when, ...fault } of plan.faults) simulator.faults.add({ ...fault, when: { ...when, openId } });
    this.#expireToken(plan, openId);
    const id = await this.#accept(this.#requestOf(plan, name, path), name, plan.enqueuer);
    this.#cancel(plan, openId, id);
    return { id, plan, round, openId, path, sha256 };
  }

  #expireToken({ expireTokenAt }: PlannedJob, openId: string): void {
    if (expireTokenAt === undefined) return;
    this.#once(
      openId,
      (endpoint) => endpoint === expireTokenAt,
      () => {
        this.#stage.simulator.expireAccessToken(openId);
      },
    );
  }

  #cancel({ cancelAt }: PlannedJob, openId: string, id: string): void {
    if (cancelAt === undefined) return;
    this.#once(
      openId,
      (endpoint) => endpoint.endsWith(cancelAt),
      async () => {
        // It may be too late for that, or Redis be away; either is an answer.
        await this.#stage.publisher.cancel(id).catch(() => undefined);
      },
    );
  }

  /** Does something when TikTok hears of an account at an endpoint for the first time. */
  #once(openId: string, isWanted: (endpoint: string) => boolean, act: () => void | Promise<void>): void {
    const { journal } = this.#stage.simulator;
    journal
      .waitFor((entry) => entry.openId === openId && isWanted(entry.endpoint), { timeoutMs: ORPHAN_DEADLINE_MS })
      // A job that never gets there needs nothing.
      .then(act, () => undefined);
  }

  /** Enqueues until it is accepted, as a caller with an idempotency key would; the first one may die of it. */
  async #accept(request: PublishRequest, idempotencyKey: string, killed: PlannedJob['enqueuer']): Promise<string> {
    if (killed !== undefined) await this.#stage.enqueueAndDie({ request, idempotencyKey, killed });
    const job = await eventually(async () => await this.#stage.publisher.enqueue(request, { idempotencyKey }), {
      timeoutMs: 30_000,
      intervalMs: 100,
    });
    return job.id;
  }

  async #judge(job: RunningJob, outagesBefore: number, deadlineMs: number): Promise<JudgedJob> {
    // A job without an outcome by then is a finding like any other.
    await this.#stage.outcomeOf(job.id, deadlineMs).catch(() => undefined);
    const evidence = await this.#evidenceOf(job, outagesBefore);
    if (job.path !== undefined) await rm(job.path);
    return { round: job.round, openId: job.openId, evidence, findings: checkJob(evidence) };
  }

  async #evidenceOf({ id, plan, openId, sha256 }: RunningJob, outagesBefore: number): Promise<Evidence> {
    const { publisher, simulator } = this.#stage;
    const job = await eventually(async () => (await publisher.get(id)) ?? false, { timeoutMs: 20_000 });
    if (job === false) throw new Error(`job ${id} is gone`);
    const interruptions = this.slots.reduce((sum, slot) => sum + slot.interruptionsOf(id), 0);
    return {
      ...{ plan, sha256, job },
      publishes: simulator.journal.publishes().filter((publish) => publish.openId === openId),
      requests: simulator.journal.requests({ openId }),
      events: await this.#stage.eventsOf(id),
      interruptions: interruptions + this.#redisRestarts - outagesBefore,
      overtakenPieces: this.#overtakenPieces(id),
    };
  }

  #overtakenPieces(id: string): number {
    const claims = this.slots.flatMap((slot) => slot.claims).filter((claim) => claim.id === id);
    const pieces = this.slots.flatMap((slot) => slot.pieces).filter((piece) => piece.id === id);
    return pieces.filter(({ at, pid }) => {
      const earlier = claims.filter((claim) => claim.at < at).sort((a, b) => a.at - b.at);
      const owner = earlier.at(-1);
      return owner !== undefined && owner.pid !== pid;
    }).length;
  }

  #requestOf({ mode, source, via }: PlannedJob, name: string, path: string | undefined): PublishRequest {
    const post = { title: name, privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
    const rest = { account: name, mode, ...(mode === 'direct' && { post }) };
    if (source === 'pull' || path === undefined) {
      return { ...rest, media: { type: 'pull', url: `${PULL_PREFIX}${name}.mp4` } };
    }
    const media =
      via === 'web' ? ({ type: 'url', url: this.#stage.web.url(path) } as const) : ({ type: 'file', path } as const);
    return { ...rest, media };
  }
}
