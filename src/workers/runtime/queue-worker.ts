import type { Job, Telemetry } from 'bullmq';
import type { Logger } from 'pino';
import { loggedTrouble } from '../../core/redis-trouble.ts';
import type { Settlement } from '../../core/settlement.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { boundEntries } from '../../ledger/queues/bounded-entries.ts';
import { readableTraces } from '../../ledger/queues/entry-traces.ts';
import { fetchScriptOf } from '../../ledger/queues/fetch-script.ts';
import { publishIdOfEntryId } from '../../ledger/queues/job-ids.ts';
import { QUEUE_NAMES } from '../../ledger/queues/queue-names.ts';
import type { MeasureStep } from '../../observability/metrics.ts';
import { createOutageLog } from '../../observability/outage-log.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { WorkerSettings } from '../deps.ts';
import { LOCK_LOST } from '../publish/run-owned.ts';
import type { QueueWork } from './queue-work.ts';
import { pauseOfRetry, settleJob } from './settle-job.ts';
import { WatchedWorker } from './watched-worker.ts';

/**
 * A stall is an interruption, not a failure, and BullMQ never resets its count: what has a record ends by the record
 * (see `MAX_FRUITLESS_STARTS`). A delivery has none, and is tried for three days.
 */
const MAX_STALLED_COUNT = 1_000_000;
const MAX_STALLED_DELIVERIES = 50;

/**
 * How long a completed entry is kept, by which a plain client learns the outcome: the record tells it as long as the job
 * is kept, in half the memory. Failed ones stay, for they are the list of what needs a person.
 */
const DONE_KEPT_MS = DAY_MS;

/** What BullMQ's workers have in common. */
export interface QueueWorkerOptions {
  readonly prefix: string;
  /** Carries traces over the queues. */
  readonly telemetry: Telemetry | undefined;
  readonly settings: Pick<WorkerSettings, 'recovery' | 'retentionMs'>;
  readonly measureStep: MeasureStep;
  readonly log: Logger;
}

/** BullMQ's worker on one queue. @param connection of role `worker`; BullMQ makes its blocking ones from it */
export function startQueueWorker(
  { queue, concurrency, claims, stepOf, run }: QueueWork,
  connection: RedisClient,
  { prefix, telemetry, settings, measureStep, log }: QueueWorkerOptions,
): WatchedWorker {
  const { recovery, retentionMs } = settings;
  const kept = (forMs: number) => ({ age: Math.ceil(forMs / SECOND_MS) });
  // A delivery's own entry is all that is known of it.
  const doneForMs = queue === QUEUE_NAMES.events ? retentionMs : Math.min(retentionMs, DONE_KEPT_MS);
  const runClaimed: ProcessEntry = (job, signal) => run(job, signal, worker.claimOf(job));
  const worker: WatchedWorker = new WatchedWorker(queue, processorOf(queue, runClaimed, log), {
    around: (job, process) => measureStep(stepOf(job), process),
    fetchBy(command) {
      const script = claims && fetchScriptOf(command, claims.lua, connection);
      return script && claims.prepareFetch(script, connection);
    },
    ...{ connection: boundEntries(connection), prefix, concurrency },
    // BullMQ names its blocking connections itself, and puts this at the end.
    name: `tiktok-publisher:worker:${process.pid}`,
    lockDuration: recovery.lockDurationMs,
    stalledInterval: recovery.stalledIntervalMs,
    maxStalledCount: queue === QUEUE_NAMES.events ? MAX_STALLED_DELIVERIES : MAX_STALLED_COUNT,
    settings: { backoffStrategy: pauseOfRetry },
    // By default a worker that lost Redis sits idle for 15 s before it fetches again.
    runRetryDelay: SECOND_MS,
    removeOnComplete: kept(doneForMs),
    removeOnFail: kept(retentionMs),
    ...readableTraces(telemetry),
  });
  reportTrouble(worker, log);
  return worker;
}

type ProcessEntry = (job: Job, signal: AbortSignal) => Promise<Settlement>;

function processorOf(queue: string, run: ProcessEntry, log: Logger) {
  const steps = createOutageLog(log);
  const tellUnsettled = ({ id = '' }: Job, error: unknown): void =>
    steps.warn(error, { publishJobId: publishIdOfEntryId(queue, id), queue }, 'failed to settle a step');
  // BullMQ passes the signal only to a processor that declares three parameters.
  return async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
    const settlement = await run(job, signal ?? new AbortController().signal).catch((error: unknown): Settlement => {
      // Not even the failure could be written: the entry is left as it is and taken up again.
      tellUnsettled(job, error);
      return { kind: 'lost' };
    });
    if (settlement.kind !== 'lost') steps.isOver();
    else if (settlement.trouble !== undefined) tellUnsettled(job, settlement.trouble);
    return await settleJob(job, token ?? '', settlement);
  };
}

function reportTrouble(worker: WatchedWorker, log: Logger): void {
  const { name: queue } = worker;
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) {
      log.warn({ publishJobId: publishIdOfEntryId(queue, jobId), queue }, 'lock lost');
      worker.cancelJob(jobId, LOCK_LOST);
    }
  });
  worker.on('error', (error) => {
    const trouble = loggedTrouble(error);
    const reason = 'reason' in trouble ? trouble.reason : error.message;
    if (worker.isNewTrouble(reason)) log.warn({ queue, reason }, 'worker error');
  });
  worker.on('stalled', (jobId) => {
    log.warn({ publishJobId: publishIdOfEntryId(queue, jobId), queue }, 'stalled job taken over');
  });
}
