import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { SECOND_MS } from '../../core/units.ts';
import type { Fetch, Run } from '../../ledger/claim.ts';
import { ReadableJob } from '../../ledger/queues/readable-job.ts';
import { tellRunsApart } from './run-locks.ts';
import { RunAgain } from './settle-job.ts';

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
  /** Another way to run a command of BullMQ's that fetches a job; undefined for other commands. */
  readonly fetchBy?: (command: string) => Fetch | undefined;
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
  /** What was claimed with the fetch of a job, by the job's id until it is here. */
  readonly #fetched = new Map<string, Run['takeFetched']>();
  readonly #claims = new WeakMap<Job, Run['takeFetched']>();
  readonly #endRenewal: ReturnType<typeof tellRunsApart>;

  constructor(
    name: string,
    processor: Processor,
    { around = (_job, run) => run(), fetchBy, ...options }: WatchedWorkerOptions,
  ) {
    super(name, processor, options);
    this.#around = around;
    this.#endRenewal = tellRunsApart(this.lockManager);
    if (fetchBy !== undefined) this.#fetchBy(fetchBy);
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

  /** The claim that was made with the fetch of a job. */
  claimOf(job: Job): Run['takeFetched'] {
    return this.#claims.get(job);
  }

  #fetchBy(wayOf: (command: string) => Fetch | undefined): void {
    const { backend } = this;
    const ordinary = backend.execCommand.bind(backend);
    const ways = new Map<string, Fetch | undefined>();
    backend.execCommand = (client, command, given) => {
      if (!ways.has(command)) ways.set(command, wayOf(command));
      const fetch = ways.get(command);
      return fetch === undefined ? ordinary(client, command, given) : this.#fetch(fetch, given);
    };
  }

  async #fetch(fetch: Fetch, given: Parameters<Fetch>[0]): Promise<unknown> {
    const { answer, takeFetched } = await fetch(given);
    if (Array.isArray(answer)) this.#fetched.set(String(answer[1]), takeFetched);
    return answer;
  }

  protected override get Job(): typeof Job {
    return ReadableJob;
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
    const job = await super.nextJobFromJobData(...args);
    const [, id = ''] = args;
    if (job !== undefined) this.#claims.set(job, this.#fetched.get(id));
    this.#fetched.delete(id);
    return job;
  }

  protected override async handleCompleted(...args: Parameters<Worker['handleCompleted']>) {
    const [, job, token] = args;
    this.#endRenewal(job.id ?? '', token);
    return await super.handleCompleted(...args);
  }

  protected override async handleFailed(...args: Parameters<Worker['handleFailed']>) {
    const [error, job, token, mayFetch = () => true] = args;
    this.#endRenewal(job.id ?? '', token);
    if (!(error instanceof RunAgain)) return await super.handleFailed(...args);
    const fetchNext = mayFetch() && this.closing === undefined && !this.paused;
    const now = Date.now();
    const delayMs = Math.max(0, error.at - now);
    const next = await this.backend.moveToDelayed(job.id ?? '', now, delayMs, token, { skipAttempt: true, fetchNext });
    await error.afterwards?.();
    if (fetchNext && Array.isArray(next)) return await this.nextJobFromJobData(next[0], next[1], token);
    return await super.handleFailed(error, job, token, () => false);
  }

  override async extendJobLocks(...args: Parameters<Worker['extendJobLocks']>) {
    const lost = await super.extendJobLocks(...args);
    if (this.#running >= this.concurrency) this.#answered();
    return lost;
  }

  override async processJob(...args: Parameters<Worker['processJob']>) {
    const [job, token] = args;
    try {
      return await this.#around(job, () => super.processJob(...args));
    } finally {
      this.#endRenewal(job.id ?? '', token);
    }
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
