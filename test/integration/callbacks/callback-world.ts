import { Writable } from 'node:stream';
import pino from 'pino';
import { deliveriesOf } from '../../../src/app/callback-parts.ts';
import { createDeliveryOrder } from '../../../src/callbacks/delivery-order.ts';
import { countPausedEndpoints, createEndpointHealth } from '../../../src/callbacks/endpoint-health.ts';
import type { Config } from '../../../src/config/load-config.ts';
import type { CallbackSchedule } from '../../../src/core/callback-schedule.ts';
import type { PublishEventType } from '../../../src/core/publish-event.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import type { Lookup } from '../../../src/outbound/outbound-agent.ts';
import type { RunningWorkers } from '../../../src/workers/runtime/start-workers.ts';
import type { WorkerKind } from '../../../src/workers/runtime/worker-kinds.ts';
import { eventually } from '../../support/eventually.ts';
import { startPipeline } from '../../support/pipeline.ts';

/** Deliveries that are repeated within ms, and endpoints that are paused only where a test wants it. */
const RAPID_CALLBACKS: CallbackSchedule = {
  delaysMs: [20, 20, 20],
  pauseAfterFailures: 1_000,
  pauseAfterMs: 0,
  probeEveryMs: 60_000,
};

export const SECRETS = [
  `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  `whsec_${Buffer.alloc(32, 2).toString('base64')}`,
];
const RETENTION_MS = 86_400_000;

export interface CallbackWorldOptions {
  readonly schedule?: Partial<CallbackSchedule>;
  /** Longest time of one delivery (ms). Default: 2,000. */
  readonly timeoutMs?: number;
  readonly lookup?: Lookup;
  readonly allowHosts?: readonly string[];
  readonly callbackContentType?: Config['callbackContentType'];
  readonly only?: readonly WorkerKind[];
  /** Start the workers at once (default). */
  readonly workers?: boolean;
}

export type CallbackWorld = Awaited<ReturnType<typeof startCallbackWorld>>;

/** Redis, ledger and workers that deliver events, over real HTTP and with a rapid schedule. */
export async function startCallbackWorld(options: CallbackWorldOptions = {}) {
  const pipeline = await startPipeline({
    ...{ workers: false, simulator: { processingMs: 20 }, callbackSecrets: SECRETS },
    ...(options.allowHosts !== undefined && { allowHosts: options.allowHosts }),
    ...(options.callbackContentType !== undefined && { callbackContentType: options.callbackContentType }),
  });
  const { redis, keys, queues } = pipeline;
  const schedule = { ...RAPID_CALLBACKS, ...options.schedule };
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'trace' }, destination);
  const order = createDeliveryOrder({ redis, keys, queues });
  const endpoints = createEndpointHealth({ redis, keys, queues, schedule, clock: Date, retentionMs: RETENTION_MS });

  /** Workers as one process would run them. */
  async function startDelivery(): Promise<RunningWorkers> {
    const { lookup, timeoutMs = 2_000 } = options;
    return await pipeline.startWorkersWith(
      { log },
      { only: options.only ?? ['events'], callbacks: { schedule, timeoutMs, ...(lookup !== undefined && { lookup }) } },
    );
  }

  /** A job with a callback, without a queue entry of its own. */
  async function createJob(id: string, callbackUrl: string | undefined): Promise<LedgerRecord> {
    const media = { type: 'file', path: '/a.mp4' } as const;
    const request = {
      account: 'acme',
      mode: 'inbox',
      media,
      ...(callbackUrl !== undefined && { callbackUrl }),
    } as const;
    await pipeline.deps.ledger.create(newRecord({ id, request, now: Date.now() }), { event: 'queued' });
    const record = await pipeline.deps.ledger.read(id);
    if (record === undefined) throw new Error('there is no record');
    return record;
  }

  if (options.workers !== false) await startDelivery();
  return {
    pipeline,
    ...{ redis, keys, queues, lines, endpoints, order, startDelivery, createJob },
    countPaused: (now = Date.now()) => countPausedEndpoints(redis, keys, { now, retentionMs: RETENTION_MS }),
    deliveries: deliveriesOf(pipeline.app, pipeline.service),

    /** Makes events of a job, one after the other. */
    async report(record: LedgerRecord, ...types: PublishEventType[]): Promise<LedgerRecord> {
      let present = record;
      const cause = { event: 'handed_back' } as const;
      for (const event of types) present = await pipeline.deps.ledger.annotate(present, { event, cause });
      return present;
    },

    /** The entry of an event once it is in a state. */
    entryIn: (eventId: string, state: string) =>
      eventually(async () => {
        const present = await queues.events.getJobState(eventId);
        // Read after its state, so that it is no older.
        const entry = await queues.events.getJob(eventId);
        if (entry === undefined || present !== state)
          throw new Error(`${eventId} is ${present}: ${entry?.failedReason}`);
        return entry;
      }),

    async close(): Promise<void> {
      await pipeline.close();
    },
  };
}
