import { Writable } from 'node:stream';
import pino from 'pino';
import { createDeliveryLog } from '../../../src/callbacks/delivery-log.ts';
import { createDeliveryOrder } from '../../../src/callbacks/delivery-order.ts';
import { createEndpointHealth } from '../../../src/callbacks/endpoint-health.ts';
import { createHostGate } from '../../../src/callbacks/host-gate.ts';
import { openCallbackDesk } from '../../../src/callbacks/open-callback-desk.ts';
import { createCallbackSigner } from '../../../src/callbacks/signer.ts';
import type { CallbackSchedule } from '../../../src/core/callback-schedule.ts';
import type { PublishEventType } from '../../../src/core/publish-event.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import { parseAllowList } from '../../../src/outbound/allow-list.ts';
import { createOutboundAgent, type Lookup } from '../../../src/outbound/outbound-agent.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { type RunningWorkers, startWorkers, type WorkerDeps, type WorkerKind } from '../../../src/workers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';

/** Deliveries that are repeated within ms, and endpoints that are paused only where a test wants it. */
export const RAPID_CALLBACKS: CallbackSchedule = {
  delaysMs: [20, 20, 20],
  pauseAfterFailures: 1_000,
  pauseAfterMs: 0,
  probeEveryMs: 60_000,
  timeoutMs: 2_000,
};

export const SECRETS = [
  `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  `whsec_${Buffer.alloc(32, 2).toString('base64')}`,
];
const RETENTION_MS = 86_400_000;

export interface CallbackWorldOptions {
  readonly schedule?: Partial<CallbackSchedule>;
  readonly lookup?: Lookup;
  readonly allowHosts?: readonly string[];
  readonly only?: readonly WorkerKind[];
  /** Start the workers at once (default). */
  readonly workers?: boolean;
}

export type CallbackWorld = Awaited<ReturnType<typeof startCallbackWorld>>;

/** Redis, ledger and workers that deliver events, over real HTTP and with a rapid schedule. */
export async function startCallbackWorld(options: CallbackWorldOptions = {}) {
  const pipeline = await startPipeline({ workers: false, simulator: { processingMs: 20 } });
  const { redis, keys, queues, prefix } = pipeline;
  const target = { kind: 'url', url: testRedisUrl() } as const;
  const schedule = { ...RAPID_CALLBACKS, ...options.schedule };
  const allowed = parseAllowList(options.allowHosts ?? ['127.0.0.1']);
  const agent = createOutboundAgent({ allowed, ...(options.lookup !== undefined && { lookup: options.lookup }) });
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'trace' }, destination);
  const order = createDeliveryOrder({ redis, keys, queues });
  const deliveryLog = createDeliveryLog({ redis, keys, retentionMs: RETENTION_MS });
  const endpoints = createEndpointHealth({ redis, keys, queues, schedule, clock: Date, retentionMs: RETENTION_MS });
  const closers: (() => Promise<unknown>)[] = [];

  /** Workers as one process would run them. */
  async function startDelivery(): Promise<RunningWorkers> {
    const relay = await connectRedis(target, 'blocking');
    const connection = await connectRedis(target, 'worker');
    const deps: WorkerDeps = {
      ...pipeline.deps,
      log,
      callbacks: {
        delivery: { agent, allowed, signer: createCallbackSigner(SECRETS), clock: Date, timeoutMs: schedule.timeoutMs },
        ...{ log: deliveryLog, order, endpoints, schedule },
        gate: createHostGate({ redis, keys, queues, clock: Date }),
        relay: { redis: relay, keys },
      },
    };
    const concurrency = { upload: 4, status: 20 };
    const workers = startWorkers({ deps, connection, prefix, concurrency, only: options.only ?? ['events'] });
    closers.push(async () => {
      await workers.close({ timeoutMs: 0 });
      await closeRedis(connection);
      await closeRedis(relay);
    });
    return workers;
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
    desk: openCallbackDesk({ redis, keys, queues, retentionMs: RETENTION_MS }),

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
      for (const close of closers.splice(0)) await close();
      await agent.destroy();
      await pipeline.close();
    },
  };
}
