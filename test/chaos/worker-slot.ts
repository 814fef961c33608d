import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosProcess, ProcessEnd } from './chaos-process.ts';
import { REDIS_AWAY_EXIT_CODE } from './process-settings.ts';
import type { Stage } from './stage.ts';
import type { Notice, Trap } from './traps.ts';

/** What a slot counts while it runs. */
export interface SlotCounts {
  kills: number;
  freezes: number;
  blocks: number;
  drains: number;
}

/** A step of a job's in some process. */
export interface ProcessStep {
  readonly id: string;
  readonly at: number;
  readonly pid: number;
}

/** The claim of a job: made some time between these two. */
interface Claim extends ProcessStep {
  readonly askedAt: number;
}

/** A supervisor does not start over and over what finds no Redis. */
const RESTART_PAUSE_MS = 500;
const ANYWHERE = { moment: 'during', step: 'anything' } as const;

/** One worker that is always there: when its process dies, another one is started, as a supervisor would. */
export class WorkerSlot {
  readonly counts: SlotCounts = { kills: 0, freezes: 0, blocks: 0, drains: 0 };
  /** Ends of processes that no trap explains. */
  readonly troubles: string[] = [];
  readonly claims: Claim[] = [];
  /** Pieces of videos that were sent. */
  readonly pieces: ProcessStep[] = [];
  /** How often a worker was killed at each step. */
  readonly killedAt = new Map<string, number>();
  /** When a process was killed. */
  readonly deaths: { readonly at: number; readonly pid: number }[] = [];
  readonly #stage: Stage;
  readonly #interruptions = new Map<string, number>();
  #process: ChaosProcess | undefined;
  /** Jobs that the present process has owned. */
  #owned = new Set<string>();
  #traps: Trap[] = [];
  #freezeMs = 0;
  #expected: 'killed' | 'drained' | undefined;
  /** What was done to the process from outside. */
  #signalled: { readonly action: 'kill' | 'term'; readonly at: number } | undefined;
  #busy: Promise<unknown> = Promise.resolve();
  #isClosing = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts a process; resolves once it takes jobs or is dead again. */
  async start(): Promise<void> {
    this.#owned = new Set();
    this.#expected = undefined;
    this.#signalled = undefined;
    const started = this.#stage.startWorker({
      traps: this.#nextTraps(),
      onNotice: (notice) => this.#hear(notice, started.pid),
    });
    this.#process = started;
    void started.ended.then((end) => {
      if (this.#isClosing) return;
      this.#replace(started, end);
    });
    const ready = started.waitFor(({ kind }) => kind === 'ready');
    await Promise.race([ready.catch(() => undefined), started.ended]);
  }

  #replace({ pid }: ChaosProcess, { code, signal }: ProcessEnd): void {
    const isExpected =
      code === REDIS_AWAY_EXIT_CODE ||
      (this.#expected === 'killed' && signal === 'SIGKILL') ||
      (this.#expected === 'drained' && code === 0);
    // All that it told has been heard by now, so it is known which jobs it had.
    if (this.#signalled !== undefined) this.#interrupted({ ...ANYWHERE, ...this.#signalled }, this.#signalled.at);
    if (!isExpected) this.troubles.push(`process ${pid} ended by ${signal ?? `exit ${code}`}`);
    this.#busy = code === REDIS_AWAY_EXIT_CODE ? sleep(RESTART_PAUSE_MS).then(() => this.start()) : this.start();
  }

  /** Sets the round's traps. */
  begin(traps: readonly Trap[], freezeMs: number): void {
    this.#traps = [...traps];
    this.#freezeMs = freezeMs;
    this.#process?.arm(this.#nextTraps());
  }

  /** Ends the process from outside, wherever it is just now; one that is about to end is left to it. */
  signal(name: 'SIGKILL' | 'SIGTERM'): void {
    // Before it is ready it does not know what SIGTERM asks of it.
    const isReady = this.#process?.notices.some(({ kind }) => kind === 'ready') === true;
    if (this.#expected !== undefined || !isReady) return;
    this.#expected = name === 'SIGKILL' ? 'killed' : 'drained';
    this.#signalled = { action: name === 'SIGKILL' ? 'kill' : 'term', at: Date.now() };
    this.#process?.signal(name);
  }

  /** Ends the round: no trap acts any more, and the process is there and awake. */
  async finish(): Promise<void> {
    this.#traps = [];
    // A process that dies meanwhile is replaced by another one.
    for (let busy: unknown; busy !== this.#busy; ) {
      busy = this.#busy;
      await busy;
    }
    this.#process?.arm([]);
  }

  /** No process is started any more. */
  close(): void {
    this.#isClosing = true;
  }

  /** How often a process that had owned the job was interrupted. */
  interruptionsOf(id: string): number {
    return this.#interruptions.get(id) ?? 0;
  }

  #nextTraps(): Trap[] {
    return this.#traps.splice(0, 1);
  }

  #hear(notice: Notice, pid: number): void {
    if (notice.kind === 'claimed') {
      this.#owned.add(notice.id);
      this.claims.push({ id: notice.id, askedAt: notice.askedAt, at: notice.at, pid });
    }
    if (notice.kind === 'sending') this.pieces.push({ id: notice.id, at: notice.at, pid });
    if (notice.kind === 'trapped') this.#interrupted(notice.trap, notice.at);
  }

  #interrupted({ action, moment, step }: Pick<Trap, 'action' | 'moment' | 'step'>, at: number): void {
    for (const id of this.#owned) this.#interruptions.set(id, this.interruptionsOf(id) + 1);
    switch (action) {
      case 'kill':
        this.counts.kills += 1;
        this.killedAt.set(`${moment} ${step}`, (this.killedAt.get(`${moment} ${step}`) ?? 0) + 1);
        this.#expected = 'killed';
        this.deaths.push({ at, pid: this.#process?.pid ?? 0 });
        return;
      case 'term':
        this.counts.drains += 1;
        this.#expected = 'drained';
        return;
      case 'stop':
        this.counts.freezes += 1;
        this.#busy = this.#wakeLater();
        return;
      case 'block':
        this.counts.blocks += 1;
        this.#process?.arm(this.#nextTraps());
    }
  }

  async #wakeLater(): Promise<void> {
    await sleep(this.#freezeMs);
    this.#process?.signal('SIGCONT');
    this.#process?.arm(this.#nextTraps());
  }
}
