import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Telemetry } from 'bullmq';
import type { Logger } from 'pino';
import { loggedTrouble } from '../core/redis-trouble.ts';
import { SECOND_MS } from '../core/units.ts';
import { wakeLane } from '../lanes/wake-jobs.ts';
import { isNumbered, isRecheck, publishIdOfEntry, publishIdOfEntryId } from '../queues/job-ids.ts';
import { QUEUE_NAMES } from '../queues/queue-names.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { processEventEntry } from './callback-processor.ts';
import { type CallbackRelay, startCallbackRelay } from './callback-relay.ts';
import type { WorkerDeps } from './deps.ts';
import { createOutageLog } from './outage-log.ts';
import { processPublishEntry } from './publish-processor.ts';
import { type ProbeRedis, type Readiness, readinessOf } from './readiness.ts';
import { processRecheckEntry } from './recheck-processor.ts';
import { DEFAULT_RECOVERY } from './recovery.ts';
import { type MakeWorker, replaceStuckWorkers } from './replace-stuck.ts';
import { LOCK_LOST } from './run-owned.ts';
import { pauseOfRetry, settleJob } from './settle-job.ts';
import type { Settlement } from './settlement.ts';
import { processStatusEntry } from './status-processor.ts';
import { startSweep } from './sweep.ts';
import { WatchedWorker } from './watched-worker.ts';

/** How long a job that was aborted or has ended has to be handed back (ms). */
const HAND_BACK_MS = 3 * SECOND_MS;
/** A stall is an interruption, not a failure, and BullMQ never resets its count. */
const MAX_STALLED_COUNT = 1_000_000;

/** Deliveries of events at the same time, per process; each holds one socket for at most ten seconds. */
const EVENTS_CONCURRENCY = 50;

/** The kinds of work a process may do. */
export const WORKER_KINDS = ['upload', 'status', 'events'] as const;
export type WorkerKind = (typeof WORKER_KINDS)[number];

export interface StartWorkersOptions {
  readonly deps: WorkerDeps;
  /** A connection of role `worker`; BullMQ makes its blocking ones from it. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly concurrency: { readonly upload: number; readonly status: number };
  /** Carries traces over the queues. */
  readonly telemetry?: Telemetry | undefined;
  /** Which kinds to run; by default all. */
  readonly only?: readonly WorkerKind[];
  /** Finds out why fetches go unanswered, for {@link RunningWorkers.readiness}. */
  readonly probeRedis?: ProbeRedis;
  /** Another connection of role `worker`, for workers whose own no longer answers though Redis does. */
  readonly connectAnew?: () => Promise<RedisClient>;
  /** What our Redis user may not do although a job needs it; asked before each sweep. */
  readonly findForbidden?: () => Promise<string | undefined>;
}

/** The workers of one process. */
export interface RunningWorkers {
  /** Whether every worker could take a job now, as {@link readiness} says. */
  isRunning(): boolean;
  /**
   * Whether every worker could take a job now, and if not, why. A worker could where Redis answered its last fetch, at
   * most 12 seconds ago; one whose places are all taken could where its locks are renewed. Answers within two seconds.
   */
  readiness(): Promise<Readiness>;
  /** Lets an account's jobs go on at once that wait for its owner. */
  wake(account: string): Promise<void>;
  /**
   * Stops taking jobs, lets uploads stop at their next chunk edge, and hands them back to the queue. What still runs
   * after `timeoutMs` is aborted and handed back too. Burns no attempt. Called again, it waits for the same end. Redis
   * may be away: once no job runs here, its answer is waited for no longer than three seconds.
   */
  close(options: { readonly timeoutMs: number }): Promise<void>;
}

type Launch = (name: string, concurrency: number, run: (job: Job, signal: AbortSignal) => Promise<Settlement>) => void;

/** Starts the workers and the sweep. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { deps, only = WORKER_KINDS } = options;
  const draining = new AbortController();
  const workers: WatchedWorker[] = [];
  const makers: MakeWorker[] = [];
  const launch: Launch = (name, concurrency, run) => {
    const make: MakeWorker = (connection) => startWorker(name, concurrency, run, { ...options, connection });
    makers.push(make);
    workers.push(make(options.connection));
  };
  let closing: Promise<void> | undefined;
  let forbidden: string | undefined;
  if (only.includes('upload')) {
    const run = (job: Job, signal: AbortSignal): Promise<Settlement> =>
      processPublishEntry(
        {
          id: publishIdOfEntry(job),
          isNumbered: isNumbered(job),
          data: job.data,
          replaceData: (data) => job.updateData(data),
          run: runOf(job),
        },
        deps,
        { signal, draining: draining.signal },
      );
    launch(QUEUE_NAMES.publish, options.concurrency.upload, run);
  }
  if (only.includes('status')) {
    const run = (job: Job): Promise<Settlement> => {
      const { id = '' } = job;
      const entry = { id: publishIdOfEntryId(QUEUE_NAMES.status, id), data: job.data, run: runOf(job) };
      return isRecheck(job) ? processRecheckEntry(entry, deps) : processStatusEntry(entry, deps);
    };
    launch(QUEUE_NAMES.status, options.concurrency.status, run);
  }
  const sweep = startSweep(deps, mayAct);
  const stopWatch = deps.ledgerGuard?.watch();
  const relay = only.includes('events') ? startDelivery(options, launch) : undefined;
  for (const [place, { name }] of workers.entries()) {
    deps.metrics.watchWorker(name, {
      isRunning: () => workers[place]?.isRunning() === true && !workers[place].isPaused(),
      isReady: () => workers[place]?.isReady === true && forbidden === undefined,
    });
  }
  const { probeRedis, connectAnew } = options;
  const stopReplacing =
    probeRedis && connectAnew && replaceStuckWorkers(workers, makers, { probeRedis, connectAnew, log: deps.log });

  /** Nothing acts on a ledger that went back in time; once it is accepted, everything goes on. */
  async function mayAct(): Promise<boolean> {
    forbidden = await options.findForbidden?.();
    await deps.ledgerGuard?.look();
    const isInTrouble = deps.ledgerGuard?.trouble() !== undefined;
    const mustChange = workers.filter((worker) => closing === undefined && worker.isPaused() !== isInTrouble);
    await Promise.all(mustChange.map((worker) => (isInTrouble ? worker.pause(true) : worker.resume())));
    return !isInTrouble;
  }

  async function close(timeoutMs: number): Promise<void> {
    stopReplacing?.();
    // The ledger is watched to the end, since jobs go on until then.
    const closed = Promise.all([...workers.map((worker) => worker.close()), sweep.stop(), relay?.stop()]).then(() =>
      stopWatch?.(),
    );
    draining.abort();
    const deadline = setTimeout(() => {
      for (const worker of workers) worker.cancelAllJobs('shutdown');
    }, timeoutMs);
    // BullMQ's close may wait for a Redis that went away; what it still holds is taken over when its locks run out.
    const patience = new AbortController();
    const wait = (ms: number) => sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined);
    const givenUp = Promise.race([untilNothingMoves(workers, wait), wait(timeoutMs + HAND_BACK_MS)]);
    const isClosed = await Promise.race([closed.then(() => true), givenUp.then(() => false)]);
    clearTimeout(deadline);
    patience.abort();
    if (!isClosed) await Promise.all(workers.map((worker) => worker.abandon()));
  }

  return {
    isRunning: () => closing === undefined && forbidden === undefined && workers.every((worker) => worker.isReady),
    async readiness() {
      if (closing !== undefined) return { ready: false, reasons: ['the workers are stopping'] };
      const trouble = deps.ledgerGuard?.trouble() ?? forbidden;
      if (trouble !== undefined) return { ready: false, reasons: [trouble] };
      return await readinessOf(workers, options.probeRedis);
    },
    async wake(account) {
      for (const name of new Set([account, await deps.accountNames.resolve(account)])) await wakeLane(name, deps);
    },
    close: ({ timeoutMs }) => (closing ??= close(timeoutMs)),
  };
}

/** Resolves once no job has run for as long as handing one back may take: a fetch may have been under way. */
async function untilNothingMoves(
  workers: readonly WatchedWorker[],
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  do {
    await Promise.all(workers.map((worker) => worker.untilIdle()));
    await wait(HAND_BACK_MS);
  } while (!workers.every((worker) => worker.isIdle));
}

/** Starts what brings events to callback URLs, where this process can. */
function startDelivery(options: StartWorkersOptions, launch: Launch): CallbackRelay | undefined {
  const { callbacks, ...others } = options.deps;
  if (callbacks === undefined) return undefined;
  const deps = { ...others, callbacks };
  const run = (job: Job, signal: AbortSignal): Promise<Settlement> =>
    processEventEntry({ data: job.data, failedBefore: job.attemptsMade }, deps, signal);
  launch(QUEUE_NAMES.events, EVENTS_CONCURRENCY, run);
  return startCallbackRelay(deps);
}

function startWorker(
  name: string,
  concurrency: number,
  run: (job: Job, signal: AbortSignal) => Promise<Settlement>,
  { deps, connection, prefix, telemetry }: StartWorkersOptions,
): WatchedWorker {
  const { recovery = DEFAULT_RECOVERY } = deps.settings;
  const steps = createOutageLog(deps.log);
  const tellUnsettled = ({ id = '' }: Job, error: unknown): void =>
    steps.tell(error, { publishJobId: publishIdOfEntryId(name, id), queue: name }, 'failed to settle a step');
  const kept = { age: Math.ceil(deps.settings.retentionMs / SECOND_MS) };
  const worker = new WatchedWorker(
    name,
    // BullMQ passes the signal only to a processor that declares three parameters.
    async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
      const settlement = await run(job, signal ?? new AbortController().signal).catch((error: unknown): Settlement => {
        // Not even the failure could be written: the entry is left as it is and taken up again.
        tellUnsettled(job, error);
        return { kind: 'lost' };
      });
      if (settlement.kind !== 'lost') steps.isOver();
      else if (settlement.trouble !== undefined) tellUnsettled(job, settlement.trouble);
      return await settleJob(job, token ?? '', settlement);
    },
    {
      connection,
      prefix,
      concurrency,
      // BullMQ names its blocking connections itself, and puts this at the end.
      name: `tiktok-publisher:worker:${process.pid}`,
      lockDuration: recovery.lockDurationMs,
      stalledInterval: recovery.stalledIntervalMs,
      maxStalledCount: MAX_STALLED_COUNT,
      settings: { backoffStrategy: pauseOfRetry },
      // By default a worker that lost Redis sits idle for 15 s before it fetches again.
      runRetryDelay: SECOND_MS,
      removeOnComplete: kept,
      removeOnFail: kept,
      ...(telemetry !== undefined && { telemetry }),
    },
  );
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) {
      deps.log.warn({ publishJobId: publishIdOfEntryId(name, jobId), queue: name }, 'lock lost');
      worker.cancelJob(jobId, LOCK_LOST);
    }
  });
  reportTrouble(worker, deps.log);
  return worker;
}

function runOf(job: Job): { entry: string; start: number } {
  return { entry: `${job.queueName}:${job.id}:${job.timestamp}`, start: job.attemptsStarted };
}

function reportTrouble(worker: WatchedWorker, log: Logger): void {
  worker.on('error', (error) => {
    const trouble = loggedTrouble(error);
    const reason = 'reason' in trouble ? trouble.reason : error.message;
    if (worker.isNewTrouble(reason)) log.warn({ queue: worker.name, reason }, 'worker error');
  });
  worker.on('stalled', (jobId) => {
    log.warn({ publishJobId: publishIdOfEntryId(worker.name, jobId), queue: worker.name }, 'stalled job taken over');
  });
}
