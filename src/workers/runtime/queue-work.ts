import type { Job } from 'bullmq';
import type { CallbackDeps } from '../../callbacks/callback-deps.ts';
import { processEventEntry } from '../../callbacks/callback-processor.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { FetchClaims, Run } from '../../ledger/claim.ts';
import { SWEEP_AFTER_MS } from '../../ledger/ledger.ts';
import { isNumbered, isRecheck, publishIdOfEntry, publishIdOfEntryId } from '../../ledger/queues/job-ids.ts';
import { QUEUE_NAMES } from '../../ledger/queues/queue-names.ts';
import type { Step } from '../../observability/metrics.ts';
import type { WorkerDeps } from '../deps.ts';
import { processPublishEntry } from '../publish/publish-processor.ts';
import { processRecheckEntry } from '../status/recheck-processor.ts';
import { processStatusEntry } from '../status/status-processor.ts';

/** Deliveries of events at the same time, per process; each holds one socket for at most ten seconds. */
const EVENTS_CONCURRENCY = 50;

/** What is done with the entries of one queue. */
export interface QueueWork {
  readonly queue: string;
  /** How many entries at the same time, per process. */
  readonly concurrency: number;
  /** How the jobs of entries are claimed as they are fetched. */
  readonly claims?: FetchClaims;
  /** Which step the run of an entry is, for metrics. */
  stepOf(job: Job): Step;
  /** @param signal aborted when the entry has to be left at once */
  run(job: Job, signal: AbortSignal, takeFetched: Run['takeFetched']): Promise<Settlement>;
}

/** Inits and uploads. @param draining aborted when uploads should stop at their next chunk edge */
export function uploadWork(deps: WorkerDeps, concurrency: number, draining: AbortSignal): QueueWork {
  return {
    ...{ queue: QUEUE_NAMES.publish, concurrency, claims: deps.ledger.claimsOf(QUEUE_NAMES.publish) },
    stepOf: () => 'publish',
    run: (job, signal, takeFetched) =>
      processPublishEntry(
        {
          id: publishIdOfEntry(job),
          isNumbered: isNumbered(job),
          data: job.data,
          addedAt: job.timestamp,
          replaceData: (data) => job.updateData(data),
          run: runOf(job, takeFetched),
        },
        deps,
        { signal, draining },
      ),
  };
}

/** Polls and rechecks. */
export function statusWork(deps: WorkerDeps, concurrency: number): QueueWork {
  return {
    ...{ queue: QUEUE_NAMES.status, concurrency },
    claims: deps.ledger.claimsOf(QUEUE_NAMES.status, { dueInMs: SWEEP_AFTER_MS }),
    stepOf: (job) => (isRecheck(job) ? 'recheck' : 'status'),
    run(job, _signal, takeFetched) {
      const { id = '' } = job;
      const entry = {
        id: publishIdOfEntryId(QUEUE_NAMES.status, id),
        data: job.data,
        run: runOf(job, takeFetched),
      };
      return isRecheck(job) ? processRecheckEntry(entry, deps) : processStatusEntry(entry, deps);
    },
  };
}

/** Deliveries of events to callback URLs. */
export function deliveryWork(deps: CallbackDeps): QueueWork {
  return {
    ...{ queue: QUEUE_NAMES.events, concurrency: EVENTS_CONCURRENCY },
    stepOf: () => 'delivery',
    run: (job, signal) => processEventEntry({ data: job.data, failedBefore: job.attemptsMade }, deps, signal),
  };
}

function runOf(job: Job, takeFetched: Run['takeFetched']): Run {
  return {
    entry: `${job.queueName}:${job.id}:${job.timestamp}`,
    start: job.attemptsStarted,
    stalls: job.stalledCounter,
    takeFetched,
  };
}
