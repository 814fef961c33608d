import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { SECOND_MS } from '../../core/units.ts';

/** Longest wait on the queue before a worker fetches again (s): each fetch proves that it can take a job. */
const LONGEST_BLOCK_SECONDS = 5;
/** Twice the longest wait and more: one refusal or one slow answer is no reason to take a process out of service. */
const LATE_AFTER_MS = 12 * SECOND_MS;
/** BullMQ itself fetches again at once, which is thousands of times a second. */
const PAUSE_AFTER_REFUSAL_MS = SECOND_MS;

const ignore = (): void => undefined;

export interface WatchedWorkerOptions extends WorkerOptions {
  /** Given each run of a job, from its start until BullMQ has stored its end and fetched the next. */
  readonly around?: <T>(job: Job, run: () => Promise<T>) => Promise<T>;
}

/**
 * BullMQ's worker that knows whether it could take a job. An idle one asks for a job at least every few seconds, by a
 * script that writes; the answer proves all that a job needs: the connection, the permissions, and a Redis that takes
 * writes. One whose places are all taken does not ask, and the renewal of its locks proves the same.
 */
export class WatchedWorker extends Worker {
  readonly #around: NonNullable<WatchedWorkerOptions['around']>;
  readonly #startedAt = performance.now();
  #answeredAt: number | undefined;
  #trouble: Error | undefined;
  /** What was logged in the current outage. */
  readonly #loggedReasons = new Set<string>();
  #running = 0;
  readonly #onIdle: (() => void)[] = [];
  readonly #stopping = new AbortController();

  constructor(name: string, processor: Processor, { around = (_job, run) => run(), ...options }: WatchedWorkerOptions) {
    super(name, processor, options);
    this.#around = around;
    this.on('closing', () => this.#stopping.abort());
    // Forgotten at the next answer.
    this.on('error', (error) => {
      this.#trouble = error;
    });
  }

  /**
   * Whether this reason is new in this outage: BullMQ reports an outage at every try, each connection in its own words.
   * An outage is over after two answers in a row without an error.
   */
  isNewTrouble(reason: string): boolean {
    const isNew = !this.#loggedReasons.has(reason);
    this.#loggedReasons.add(reason);
    return isNew;
  }

  /** Since when no fetch was answered, where that is too long, and what Redis or its connection said meanwhile. */
  get lateness(): { readonly sinceMs: number; readonly trouble: Error | undefined } | undefined {
    const sinceMs = performance.now() - (this.#answeredAt ?? this.#startedAt);
    const isLate = sinceMs > LATE_AFTER_MS || (this.#answeredAt === undefined && this.#trouble !== undefined);
    return isLate ? { sinceMs, trouble: this.#trouble } : undefined;
  }

  /** Whether it goes on fetching and is answered. */
  get isReady(): boolean {
    return this.isRunning() && !this.isPaused() && this.lateness === undefined;
  }

  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Resolves once no job runs. */
  async untilIdle(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => void this.#onIdle.push(resolve));
  }

  /** Takes no more jobs and drops its connections, without waiting. */
  async leave(): Promise<void> {
    void this.close(true).catch(ignore);
    await this.abandon();
  }

  /** Gives up a close that waits for a Redis that is down: neither its timers nor its sockets may hold the process. */
  async abandon(): Promise<void> {
    await this.lockManager.close();
    const backend = this.getBackend();
    // While it closes, BullMQ may still reconnect to wait for jobs.
    void backend.blockingClient?.then((client) => {
      for (const event of ['connect', 'reconnecting']) client.on(event, () => client.disconnect());
      client.disconnect();
    }, ignore);
    void backend.close(true).catch(ignore);
  }

  override get maximumBlockTimeout(): number {
    return LONGEST_BLOCK_SECONDS;
  }

  protected override async moveToActive(...args: Parameters<Worker['moveToActive']>) {
    try {
      return await super.moveToActive(...args);
    } catch (error) {
      await sleep(PAUSE_AFTER_REFUSAL_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      throw error;
    }
  }

  /** Called with the answer to every fetch, also where the end of one job fetches the next. */
  protected override async nextJobFromJobData(...args: Parameters<Worker['nextJobFromJobData']>) {
    this.#answered();
    return await super.nextJobFromJobData(...args);
  }

  override async extendJobLocks(...args: Parameters<Worker['extendJobLocks']>) {
    const lost = await super.extendJobLocks(...args);
    if (this.#running >= this.concurrency) this.#answered();
    return lost;
  }

  override async processJob(...args: Parameters<Worker['processJob']>) {
    return await this.#around(args[0], () => super.processJob(...args));
  }

  protected override async callProcessJob(...args: Parameters<Worker['callProcessJob']>) {
    this.#running += 1;
    try {
      return await super.callProcessJob(...args);
    } finally {
      this.#running -= 1;
      if (this.isIdle) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  #answered(): void {
    this.#answeredAt = performance.now();
    if (this.#trouble === undefined) this.#loggedReasons.clear();
    this.#trouble = undefined;
  }
}
