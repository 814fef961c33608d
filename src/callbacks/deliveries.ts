import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { endpointOf } from '../core/callback-schedule.ts';
import type {
  CallbackOverview,
  FailedEvent,
  JobDeliveries,
  ReplayedEvents,
  ResumedEndpoint,
  SubscriptionDeliveries,
} from '../core/delivery-reports.ts';
import { jobNotFound, PublishError } from '../core/publish-error.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { DeliveryOrder } from './delivery-order.ts';
import type { DisabledUrls } from './disabled-urls.ts';
import { type EndpointHealth, endpointIdOf } from './endpoint-health.ts';
import type { Subscriptions } from './subscriptions.ts';

const FAILED_LISTED = 50;
const ENDPOINTS_LISTED = 500;
const PAGE = 200;
/** Most events that one call delivers again. */
const MAX_REPLAYED = 10_000;

/** What people do with callbacks. */
export type Deliveries = ReturnType<typeof createDeliveries>;

export interface DeliveriesDeps {
  readonly queues: Queues;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly log: DeliveryLog;
  readonly order: Pick<DeliveryOrder, 'undelivered'>;
  readonly endpoints: EndpointHealth;
  readonly disabled: DisabledUrls;
  readonly subscriptions: Pick<Subscriptions, 'find'>;
}

/** Over queue, ledger and what is remembered of deliveries. */
export function createDeliveries({ queues, ledger, log, order, endpoints, disabled, subscriptions }: DeliveriesDeps) {
  async function callbackUrlOf({ id, subscription }: Delivered): Promise<string | undefined> {
    if (subscription !== undefined) return (await subscriptions.find(subscription))?.endpoint;
    return id === undefined ? undefined : (await ledger.read(id))?.request.callbackUrl;
  }

  async function failedEvent(entry: Job): Promise<FailedEvent> {
    const delivered = dataOf(entry);
    const { id, event } = delivered;
    const callbackUrl = await callbackUrlOf(delivered);
    return {
      eventId: entry.id ?? '',
      jobId: id ?? '',
      type: event?.type ?? '',
      at: new Date(entry.finishedOn ?? entry.timestamp).toISOString(),
      endpoint: callbackUrl === undefined ? null : endpointOf(callbackUrl),
      reason: entry.failedReason ?? '',
    };
  }

  async function isFor(entry: Job, host: string | undefined): Promise<boolean> {
    if (host === undefined) return true;
    const callbackUrl = await callbackUrlOf(dataOf(entry));
    return callbackUrl !== undefined && isOf(callbackUrl, host);
  }

  /** Endpoints and URLs that get nothing now. */
  async function stopped(): Promise<Pick<CallbackOverview, 'paused' | 'disabled'>> {
    return {
      paused: await endpoints.paused(ENDPOINTS_LISTED),
      disabled: (await disabled.list()).slice(0, ENDPOINTS_LISTED),
    };
  }

  return {
    stopped,

    async overview(): Promise<CallbackOverview> {
      const counts = await queues.events.getJobCounts('waiting', 'active', 'delayed', 'failed');
      const failed = await queues.events.getFailed(0, FAILED_LISTED - 1);
      const { waiting = 0, active = 0, delayed = 0, failed: failedCount = 0 } = counts;
      return {
        counts: { waiting, active, delayed, failed: failedCount },
        ...(await stopped()),
        failed: await Promise.all(failed.map(failedEvent)),
      };
    },

    /** @throws PublishError `JOB_NOT_FOUND` */
    async ofJob(jobId: string): Promise<JobDeliveries> {
      const [record, undelivered, attempts] = await Promise.all([
        ledger.read(jobId),
        order.undelivered(jobId),
        log.read(jobId),
      ]);
      if (record === undefined && attempts.length === 0) throw jobNotFound(jobId);
      return { jobId, undelivered, attempts };
    },

    /**
     * Delivers an event again, or all events of a job that are kept, under their old ids.
     * @returns ids of the events; @throws PublishError `CALLBACK_NOT_FOUND`
     */
    async replay(id: string): Promise<ReplayedEvents> {
      const known = await queues.events.getJob(id);
      const found =
        known === undefined
          ? await Promise.all((await eventIdsOfJob(id)).map((eventId) => queues.events.getJob(eventId)))
          : [known];
      const entries = found.filter((entry) => entry !== undefined);
      if (entries.length === 0) {
        throw new PublishError('CALLBACK_NOT_FOUND', { reason: `no callback event or job has the id ${id}` });
      }
      // One after the other, so that a job's events come in their order.
      for (const entry of entries) await again(entry, queues);
      return { replayed: entries.map((entry) => entry.id ?? '') };
    },

    /**
     * Delivers again what was given up, the oldest first, up to 10,000 events.
     * @param host `host` or `host:port` of the callback URL; by default all
     * @param signal stops it; what was replayed stays so
     */
    async replayFailed(host?: string, signal?: AbortSignal): Promise<ReplayedEvents> {
      const replayed = new Set<string>();
      // Those that are replayed leave the list, or come back to its end; the next page begins behind those that stay.
      for (let start = 0; ; ) {
        const page = await queues.events.getJobs('failed', start, start + PAGE - 1, true);
        for (const entry of page) {
          signal?.throwIfAborted();
          const { id = '' } = entry;
          if (replayed.size === MAX_REPLAYED) return { replayed: [...replayed] };
          if (!replayed.has(id) && (await isFor(entry, host?.toLowerCase()))) {
            await again(entry, queues);
            replayed.add(id);
          } else {
            start += 1;
          }
        }
        if (page.length < PAGE) return { replayed: [...replayed] };
      }
    },

    /**
     * A subscription with its last deliveries, newest first.
     * @returns undefined if there is none of this id
     */
    async ofSubscription(id: string): Promise<SubscriptionDeliveries | undefined> {
      const [found, attempts] = await Promise.all([subscriptions.find(id), log.read(id)]);
      if (found === undefined) return undefined;
      const { sealedUrl: _, ...subscription } = found;
      return { ...subscription, attempts };
    },

    /** Sends a test event to a subscription, once. @returns id of the event; undefined if there is no such subscription */
    async testSubscription(id: string): Promise<string | undefined> {
      if ((await subscriptions.find(id)) === undefined) return undefined;
      const event = testEvent(id);
      await queues.addEventEntry({ version: 1, id, event, subscription: id }, { tries: 1 });
      return event.id;
    },

    /**
     * Ends the pause of an endpoint, and lets URLs of it that answered 410 get events again.
     * @param endpoint its id or its address @throws PublishError `CALLBACK_NOT_FOUND`
     */
    async resume(endpoint: string): Promise<ResumedEndpoint> {
      const named = URL.canParse(endpoint) ? endpointOf(endpoint) : endpoint;
      const paused = (await endpoints.findPaused(endpoint)) ?? (await endpoints.findPaused(endpointIdOf(named)));
      const gone = (await disabled.list()).filter((each) => each.id === endpoint || each.endpoint === named);
      const address = paused?.endpoint ?? gone[0]?.endpoint;
      if (address === undefined) {
        const reason = 'no paused endpoint and no disabled URL has this id or address';
        throw new PublishError('CALLBACK_NOT_FOUND', { reason });
      }
      await disabled.remove(gone);
      return { endpoint: address, woken: paused === undefined ? 0 : await endpoints.resume(paused.id) };
    },
  };

  async function eventIdsOfJob(jobId: string): Promise<string[]> {
    const attempts = await log.read(jobId);
    const ids = attempts.map(({ eventId }) => eventId).reverse();
    return [...new Set([...ids, ...(await order.undelivered(jobId))])];
  }
}

/** Of no type that is ever on the stream of events. */
function testEvent(subscription: string) {
  return {
    ...{ specversion: '1.0', id: `test-${randomUUID()}`, source: 'urn:tiktok-publisher', type: 'subscription.test' },
    ...{ subject: subscription, time: new Date().toISOString(), datacontenttype: 'application/json', data: {} },
  };
}

/** Lets an entry run again from its first delivery on; one that has not ended is delivered now. */
async function again(entry: Job, queues: Queues): Promise<void> {
  const state = await entry.getState();
  if (state === 'failed' || state === 'completed') await entry.retry(state, { resetAttemptsMade: true });
  else await queues.wakeEventEntry(entry.id ?? '');
}

const deliveredSchema = z
  .object({ id: z.string(), event: z.object({ type: z.string() }), subscription: z.string() })
  .partial({ event: true, subscription: true });

type Delivered = Partial<z.infer<typeof deliveredSchema>>;

/** Any BullMQ client can put entries here that are none of ours; they belong to no job. */
function dataOf({ data }: Job): Delivered {
  return deliveredSchema.safeParse(data).data ?? {};
}

function isOf(callbackUrl: string, host: string): boolean {
  const url = new URL(callbackUrl);
  return url.host === host || url.hostname === host;
}
