import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { orAbort } from '../core/deadline.ts';
import { decodeEvent } from '../core/publish-event.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutageLog } from '../observability/outage-log.ts';
import type { Callbacks } from './callback-deps.ts';
import { type QueueDeliveryDeps, queueDelivery } from './queue-delivery.ts';

const BLOCK_MS = 5 * SECOND_MS;
const READ_COUNT = 100;
const PAUSE_AFTER_TROUBLE_MS = SECOND_MS;

export interface CallbackRelayDeps extends Pick<QueueDeliveryDeps, 'queues' | 'random'> {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly log: Logger;
  readonly callbacks: QueueDeliveryDeps['callbacks'] & Pick<Callbacks, 'relay'>;
}

/**
 * Takes events out of the ledger's outbox, oldest first, and puts each on `tiktok-events` before it leaves the outbox.
 * What one process leaves, the next one finds. Two at once do no harm, since an entry has its event's id.
 * @returns stops it
 */
export function startCallbackRelay(deps: CallbackRelayDeps): () => Promise<void> {
  const { redis, keys } = deps.callbacks.relay;
  const stopping = new AbortController();
  const outage = createOutageLog(deps.log);

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await relayOnce();
        outage.isOver();
      } catch (error) {
        if (stopping.signal.aborted) break;
        outage.warn(error, {}, 'callback relay interrupted');
        await sleep(PAUSE_AFTER_TROUBLE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  async function relayOnce(): Promise<void> {
    const reading = redis.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', keys.callbackOutbox, '0-0');
    // A client that is told to stop while it connects again never rejects what it was asked.
    const answer = await orAbort(reading, stopping.signal);
    const entries = answer?.[0]?.[1] ?? [];
    // Sent in the order of the stream on one connection, so an event never overtakes an earlier one into the queue.
    await Promise.all(entries.map(([, fields]) => enqueue(fields, deps)));
    if (entries.length > 0) await redis.xdel(keys.callbackOutbox, ...entries.map(([position]) => position));
  }

  const following = follow();
  return async () => {
    stopping.abort();
    redis.disconnect();
    await following;
  };
}

async function enqueue(fields: readonly string[], deps: CallbackRelayDeps): Promise<void> {
  const event = decodeEvent(fields);
  if (event === undefined) {
    deps.log.error({ eventId: fields[fields.indexOf('id') + 1] }, 'skipped unreadable event in the outbox');
    return;
  }
  const hostOf = async (): Promise<string | undefined> => {
    const callbackUrl = (await deps.ledger.read(event.subject))?.request.callbackUrl;
    return callbackUrl === undefined ? undefined : new URL(callbackUrl).host;
  };
  await queueDelivery({ version: 1, id: event.subject, event }, hostOf, deps);
}
