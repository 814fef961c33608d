import { z } from 'zod';
import { nextDelivery } from '../core/callback-schedule.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import type { PublishEvent } from '../core/publish-event.ts';
import { failed, type Settlement } from '../core/settlement.ts';
import { deliveryIdOf, lineOf } from '../core/subscription.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { CallbackDeps } from './callback-deps.ts';
import { type DeliveryOutcome, deliverEvent } from './delivery.ts';
import type { EndpointState } from './endpoint-health.ts';
import { inLineMs } from './queue-delivery.ts';

/** How long an event waits for an earlier one, which wakes it when it is delivered. */
const AWAITING_EARLIER_EVENT_MS = 10 * MINUTE_MS;

export interface EventQueueEntry {
  readonly data: unknown;
  /** How many deliveries have failed so far (BullMQ's attemptsMade). */
  readonly failedBefore: number;
}

const entrySchema = z.looseObject({
  version: z.literal(1),
  id: z.string(),
  subscription: z.string().optional(),
  event: z.custom<PublishEvent>(
    (event) => z.looseObject({ id: z.string(), type: z.string() }).safeParse(event).success,
  ),
});

/** An event on its way to one receiver. */
interface Entry extends z.infer<typeof entrySchema> {
  readonly deliveryId: string;
  readonly line: string;
}

/** Delivers one event, if it is its turn and its endpoint is not paused. */
export async function processEventEntry(
  { data, failedBefore }: EventQueueEntry,
  deps: CallbackDeps,
  signal: AbortSignal,
): Promise<Settlement> {
  const parsed = entrySchema.safeParse(data);
  if (!parsed.success) {
    return failed(new PublishError('INPUT_VERSION_UNSUPPORTED', { reason: 'expected an event of version 1' }));
  }
  const entry: Entry = { ...parsed.data, deliveryId: deliveryIdOf(parsed.data), line: lineOf(parsed.data) };
  const { order, gate } = deps.callbacks;
  const receiver = await findReceiver(entry, deps);
  if (receiver instanceof PublishError) {
    await order.done(entry.line, entry.deliveryId);
    return failed(receiver);
  }
  if ((await order.predecessor(entry.line, entry.deliveryId)) !== undefined) return waitForEarlierEvent(entry, deps);
  const { host } = new URL(receiver.shownUrl);
  await gate.leaveLine(host, entry.deliveryId);
  if (!gate.enter(host)) return waitForHost(entry, host, deps);
  const turn: Turn = { entry, receiver, failedBefore, tookMs: undefined };
  try {
    return await tryDelivery(turn, deps, signal);
  } finally {
    await gate.leave(host, turn.tookMs);
  }
}

/** Where an event goes. */
interface Receiver {
  /** Without its secrets; it names the endpoint all the same. */
  readonly shownUrl: string;
  /** The URL itself. @throws PublishError when its secrets can't be opened */
  open(): Promise<string>;
}

/** @returns the error where there is none any more */
async function findReceiver(
  { id, subscription }: Entry,
  { ledger, callbacks, requestSecrets }: Pick<CallbackDeps, 'ledger' | 'callbacks' | 'requestSecrets'>,
): Promise<Receiver | PublishError> {
  if (subscription !== undefined) {
    const found = await callbacks.subscriptions.find(subscription);
    if (found === undefined) return new PublishError('CALLBACK_NOT_FOUND', { reason: 'the subscription was deleted' });
    return { shownUrl: found.endpoint, open: () => callbacks.subscriptions.urlOf(found) };
  }
  const record = await ledger.read(id);
  const shownUrl = record?.request.callbackUrl;
  if (record === undefined || shownUrl === undefined) {
    return new PublishError('JOB_NOT_FOUND', { reason: `no record of job ${id}` });
  }
  return { shownUrl, open: async () => (await requestSecrets.open(record.request, id)).callbackUrl ?? shownUrl };
}

interface Turn {
  readonly entry: Entry;
  readonly receiver: Receiver;
  readonly failedBefore: number;
  /** How long the host took, if it was asked (ms). */
  tookMs: number | undefined;
}

async function tryDelivery(
  turn: Turn,
  deps: Omit<CallbackDeps, 'ledger' | 'requestSecrets'>,
  signal: AbortSignal,
): Promise<Settlement> {
  const { entry, receiver, failedBefore } = turn;
  const { endpoints } = deps.callbacks;
  const endpoint = await endpoints.look(receiver.shownUrl);
  if (endpoint.isPaused && !(await endpoints.mayProbe(endpoint, entry.deliveryId)))
    return await held(entry, endpoint, deps);
  let outcome: DeliveryOutcome;
  try {
    outcome = await deliver(entry, receiver, deps, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    // Stopped midway: the receiver may get it twice, and recognizes it by its id.
    if (endpoint.isPaused) await endpoints.releaseProbe(endpoint);
    return { kind: 'later', at: deps.clock.now() };
  }
  turn.tookMs = outcome.durationMs;
  return await settleDelivery(entry, { endpoint, outcome, attempt: failedBefore + 1 }, deps);
}

/**
 * Opens the URL's secrets at the last moment; what can't be opened is a delivery that failed for good, and so is one to a URL
 * that answered 410 before.
 */
async function deliver(
  { event }: Entry,
  receiver: Receiver,
  { callbacks }: Pick<CallbackDeps, 'callbacks'>,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  let url: string;
  try {
    url = await receiver.open();
  } catch (error) {
    return { durationMs: 0, status: undefined, error: toPublishError(error) };
  }
  if (await callbacks.disabled.has(url)) {
    const reason = 'nothing was sent: this URL responded with 410 before';
    return { durationMs: 0, status: undefined, error: new PublishError('CALLBACK_GONE', { reason }) };
  }
  const outcome = await deliverEvent(event, url, callbacks.delivery, signal);
  if (outcome.error?.code === 'CALLBACK_GONE') await callbacks.disabled.add(url);
  return outcome;
}

interface Delivery {
  readonly endpoint: EndpointState;
  readonly outcome: DeliveryOutcome;
  readonly attempt: number;
}

async function settleDelivery(
  entry: Entry,
  delivery: Delivery,
  deps: Omit<CallbackDeps, 'ledger' | 'requestSecrets'>,
): Promise<Settlement> {
  const { endpoint, outcome, attempt } = delivery;
  const { endpoints, order, schedule } = deps.callbacks;
  const { error } = outcome;
  if (error === undefined) {
    await recordAttempt(entry, delivery, 'delivered', deps);
    await endpoints.succeeded(endpoint);
    await order.done(entry.line, entry.deliveryId);
    return { kind: 'done', result: { delivered: true, status: outcome.status ?? 0 } };
  }
  const isFinal = error.row.verdict === 'give_up';
  const isPaused = !isFinal && (await endpoints.failed(endpoint, error.code));
  const next = nextDelivery(attempt, { random: deps.random, retryAfterMs: error.details.retryAfterMs }, schedule);
  // A pause takes no deliveries away: the event has as many left when it is over.
  const isOver = isFinal || (!isPaused && next.kind === 'give_up');
  await recordAttempt(entry, delivery, isOver ? 'failed' : 'retried', deps);
  if (isPaused) return await held(entry, endpoint, deps);
  if (isFinal || next.kind === 'give_up') {
    await order.done(entry.line, entry.deliveryId);
    return failed(error);
  }
  return { kind: 'retry', delayMs: next.delayMs, failure: { code: error.code, message: error.message } };
}

async function recordAttempt(
  { id, event, subscription }: Entry,
  { outcome, attempt }: Delivery,
  result: 'delivered' | 'retried' | 'failed',
  { callbacks, clock, log, metrics }: Pick<CallbackDeps, 'callbacks' | 'clock' | 'log' | 'metrics'>,
): Promise<void> {
  const { status = null, durationMs, error } = outcome;
  metrics.eventDelivered(error?.code === 'CALLBACK_GONE' && status === null ? 'disabled' : result);
  const facts = {
    ...{ ...subjectOf(id, event.type), subscription, eventId: event.id, type: event.type },
    ...{ attempt, httpStatus: status, durationMs },
  };
  if (error === undefined) log.info(facts, 'event delivered');
  else log.warn({ ...facts, code: error.code, isFinal: result === 'failed' }, 'event delivery failed');
  await callbacks.log.add(subscription ?? id, {
    at: new Date(clock.now()).toISOString(),
    eventId: event.id,
    type: event.type,
    attempt,
    outcome: result,
    status,
    durationMs,
    code: error?.code ?? null,
    message: error?.message ?? null,
  });
}

/** What an event is about, by the name that the rest of the log has for it; a test event is about its subscription. */
function subjectOf(id: string, type: string) {
  if (type.startsWith('account.')) return { account: id };
  return type.startsWith('publish.') ? { publishJobId: id } : {};
}

/** The event waits for an earlier one of its job, which may be delivered just before this entry is delayed. */
function waitForEarlierEvent(
  { line, deliveryId }: Entry,
  deps: Pick<CallbackDeps, 'callbacks' | 'clock' | 'queues'>,
): Settlement {
  return {
    kind: 'later',
    at: deps.clock.now() + AWAITING_EARLIER_EVENT_MS,
    async afterwards() {
      if ((await deps.callbacks.order.predecessor(line, deliveryId)) === undefined)
        await deps.queues.wakeEventEntry(deliveryId);
    },
  };
}

/** The event waits until fewer deliveries to its host are under way. */
function waitForHost(
  { deliveryId }: Entry,
  host: string,
  deps: Pick<CallbackDeps, 'callbacks' | 'clock' | 'random'>,
): Settlement {
  return {
    kind: 'later',
    at: deps.clock.now() + inLineMs(deps.random),
    afterwards: async () => await deps.callbacks.gate.waitFor(host, deliveryId),
  };
}

/** The event waits for a paused endpoint, which may be resumed just before this entry is delayed. */
async function held(
  { deliveryId }: Entry,
  endpoint: EndpointState,
  { callbacks, clock, metrics, queues, random }: Omit<CallbackDeps, 'ledger' | 'log' | 'requestSecrets'>,
): Promise<Settlement> {
  metrics.eventDelivered('held');
  await callbacks.endpoints.addWaiting(endpoint, deliveryId);
  return {
    kind: 'later',
    at: clock.now() + Math.round(callbacks.schedule.probeEveryMs * (1 + random())),
    async afterwards() {
      if (!(await callbacks.endpoints.isPaused(endpoint))) await queues.wakeEventEntry(deliveryId);
    },
  };
}
