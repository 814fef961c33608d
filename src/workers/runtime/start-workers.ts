import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from 'bullmq';
import type { Callbacks } from '../../callbacks/callback-deps.ts';
import { startCallbackRelay } from '../../callbacks/callback-relay.ts';
import { startSubscriptionRelay } from '../../callbacks/subscription-relay.ts';
import { SECOND_MS } from '../../core/units.ts';
import { wakeLane } from '../../limits/wake-jobs.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { WorkerDeps } from '../deps.ts';
import { deliveryWork, type QueueWork, statusWork, uploadWork } from './queue-work.ts';
import { startQueueWorker } from './queue-worker.ts';
import { type ProbeRedis, type Readiness, readinessOf } from './readiness.ts';
import { replaceStuckWorkers } from './replace-stuck.ts';
import { startOperations } from './run-operations.ts';
import { startSweep } from './sweep.ts';
import type { WatchedWorker } from './watched-worker.ts';
import type { WorkerKind } from './worker-kinds.ts';

/** How long a job that was aborted or has ended has to be handed back (ms). */
const HAND_BACK_MS = 3 * SECOND_MS;

export interface StartWorkersOptions {
  readonly deps: WorkerDeps;
  /** Which kinds to run. */
  readonly only: readonly WorkerKind[];
  /** What brings events to callback URLs; undefined where `events` is not among the kinds. */
  readonly callbacks: Callbacks | undefined;
  /** A connection of role `worker`; BullMQ makes its blocking ones from it. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly concurrency: { readonly upload: number; readonly status: number };
  /** Carries traces over the queues. */
  readonly telemetry: Telemetry | undefined;
  /** Finds out why fetches go unanswered, for {@link RunningWorkers.readiness}. */
  readonly probeRedis: ProbeRedis;
  /** Another connection of role `worker`, for workers whose own no longer answers though Redis does. */
  readonly openConnection: () => Promise<RedisClient>;
  /** What our Redis user may not do although a job needs it; asked before each sweep. */
  readonly findForbidden: () => Promise<string | undefined>;
}

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

/** Starts the workers and the sweep. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { deps, only, callbacks, connection, concurrency, probeRedis, openConnection } = options;
  const { ledgerGuard, log, measureStep, metrics, settings } = deps;
  const draining = new AbortController();
  const work: QueueWork[] = [
    ...(only.includes('upload') ? [uploadWork(deps, concurrency.upload, draining.signal)] : []),
    ...(only.includes('status') ? [statusWork(deps, concurrency.status)] : []),
    ...(callbacks === undefined ? [] : [deliveryWork({ ...deps, callbacks })]),
  ];
  const makers = work.map(
    (queueWork) => (redis: RedisClient) =>
      startQueueWorker(queueWork, redis, { ...options, settings, measureStep, log }),
  );
  const workers = makers.map((make) => make(connection));
  let closing: Promise<void> | undefined;
  let forbidden: string | undefined;

  /** Nothing acts on a ledger that went back in time; once it is accepted, everything goes on. */
  async function mayAct(): Promise<boolean> {
    for (const entry of await deps.queues.removeReservedIds()) {
      log.warn(entry, 'removed a queue entry whose id is reserved: BullMQ could not work on the queue');
    }
    forbidden = await options.findForbidden();
    await ledgerGuard.look();
    const isInTrouble = ledgerGuard.trouble() !== undefined;
    const mustChange = workers.filter((worker) => closing === undefined && worker.isPaused() !== isInTrouble);
    await Promise.all(mustChange.map((worker) => (isInTrouble ? worker.pause(true) : worker.resume())));
    return !isInTrouble;
  }

  const stopSweep = startSweep(deps, mayAct);
  const stopOperations = startOperations(deps);
  const stopWatch = ledgerGuard.watch();
  const stopRelays =
    callbacks === undefined
      ? []
      : [startCallbackRelay({ ...deps, callbacks }), startSubscriptionRelay({ ...deps, callbacks })];
  const stopReplacing = replaceStuckWorkers(workers, makers, { probeRedis, openConnection, log });
  measure(workers, metrics, () => forbidden === undefined);

  async function close(timeoutMs: number): Promise<void> {
    stopReplacing();
    draining.abort();
    await closeWorkers(workers, {
      timeoutMs,
      others: [stopSweep(), stopOperations(), ...stopRelays.map((stop) => stop())],
      last: async () => {
        await deps.statistics.flush().catch(() => undefined);
        await stopWatch();
      },
    });
  }

  return {
    isRunning: () => closing === undefined && forbidden === undefined && workers.every((worker) => worker.isReady),
    async readiness() {
      if (closing !== undefined) return { ready: false, reasons: ['the workers are stopping'] };
      const trouble = ledgerGuard.trouble() ?? forbidden;
      if (trouble !== undefined) return { ready: false, reasons: [trouble] };
      return await readinessOf(workers, probeRedis);
    },
    async wake(account) {
      for (const name of new Set([account, await deps.accountNames.resolve(account)])) await wakeLane(name, deps);
    },
    close: ({ timeoutMs }) => (closing ??= close(timeoutMs)),
  };
}

/** A worker may be replaced by another in its place. */
function measure(
  workers: readonly WatchedWorker[],
  metrics: Pick<Metrics, 'watchWorker'>,
  mayRun: () => boolean,
): void {
  for (const [place, { name }] of workers.entries()) {
    metrics.watchWorker(name, {
      isRunning: () => workers[place]?.isRunning() === true && !workers[place].isPaused(),
      isReady: () => workers[place]?.isReady === true && mayRun(),
    });
  }
}

interface CloseWorkersOptions {
  /** What still runs after this is aborted (ms). */
  readonly timeoutMs: number;
  /** What ends together with the workers. */
  readonly others: readonly (Promise<void> | undefined)[];
  /** What ends after them: the ledger is watched to the end, since jobs go on until then. */
  readonly last: () => Promise<void>;
}

/** Lets the workers end. BullMQ's close may wait for a Redis that went away, which is waited for no longer than it takes. */
async function closeWorkers(
  workers: readonly WatchedWorker[],
  { timeoutMs, others, last }: CloseWorkersOptions,
): Promise<void> {
  const closed = Promise.all([...workers.map((worker) => worker.close()), ...others]).then(last);
  const deadline = setTimeout(() => {
    for (const worker of workers) worker.cancelAllJobs('shutdown');
  }, timeoutMs);
  // What it still holds then is taken over when its locks run out.
  const patience = new AbortController();
  const wait = (ms: number) => sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined);
  const givenUp = Promise.race([untilNothingMoves(workers, wait), wait(timeoutMs + HAND_BACK_MS)]);
  const isClosed = await Promise.race([closed.then(() => true), givenUp.then(() => false)]);
  clearTimeout(deadline);
  patience.abort();
  if (!isClosed) await Promise.all(workers.map((worker) => worker.abandon()));
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
