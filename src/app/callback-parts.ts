import { randomUUID } from 'node:crypto';
import type { Callbacks } from '../callbacks/callback-deps.ts';
import { createDeliveries, type Deliveries, type DeliveriesDeps } from '../callbacks/deliveries.ts';
import { createDeliveryLog } from '../callbacks/delivery-log.ts';
import { createDeliveryOrder, type DeliveryOrder } from '../callbacks/delivery-order.ts';
import { createDisabledUrls } from '../callbacks/disabled-urls.ts';
import { createEndpointHealth } from '../callbacks/endpoint-health.ts';
import { createHostGate } from '../callbacks/host-gate.ts';
import { createCallbackSigner } from '../callbacks/signer.ts';
import { createSubscriptions, type Subscriptions } from '../callbacks/subscriptions.ts';
import { type CallbackSchedule, ELEVEN_TRIES_IN_A_DAY } from '../core/callback-schedule.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { createOutboundAgent, type Lookup } from '../outbound/outbound-agent.ts';
import { createProcessLease } from '../redis/process-lease.ts';
import type { App } from './open-app.ts';
import type { RedisParts } from './redis-parts.ts';

type CallbackApp = Pick<App, 'keys' | 'clock' | 'config' | 'sealer'>;

type CallbackParts = Pick<DeliveriesDeps, 'log' | 'endpoints' | 'disabled'> & {
  readonly order: DeliveryOrder;
  readonly subscriptions: Subscriptions;
};

/** The endpoints that get events of many jobs. */
export function subscriptionsOf(
  { keys, clock, config, sealer }: CallbackApp,
  { redis, audit }: Pick<RedisParts, 'redis' | 'audit'>,
): Subscriptions {
  return createSubscriptions({
    ...{ redis, keys, sealer, clock, audit, allowed: parseAllowList(config.outboundAllowHosts) },
  });
}

function callbackParts(
  app: CallbackApp,
  parts: Pick<RedisParts, 'redis' | 'queues' | 'audit'>,
  schedule: CallbackSchedule,
): CallbackParts {
  const { keys, clock, config } = app;
  const { redis, queues } = parts;
  const { retentionMs } = config;
  return {
    log: createDeliveryLog({ redis, keys, retentionMs }),
    order: createDeliveryOrder({ redis, keys, queues }),
    endpoints: createEndpointHealth({ redis, keys, queues, retentionMs, clock, schedule }),
    disabled: createDisabledUrls({ redis, keys, clock, retentionMs }),
    subscriptions: subscriptionsOf(app, parts),
  };
}

/** What people do with callbacks and subscriptions. */
export function deliveriesOf(
  app: CallbackApp,
  parts: Pick<RedisParts, 'redis' | 'queues' | 'ledger' | 'audit'>,
): Deliveries {
  return createDeliveries({ ...parts, ...callbackParts(app, parts, ELEVEN_TRIES_IN_A_DAY) });
}

export interface CallbackOverrides {
  readonly schedule?: CallbackSchedule;
  /** Longest time of one delivery (ms); by default the setting. */
  readonly timeoutMs?: number;
  /** Finds the addresses of a host; by default the system does. */
  readonly lookup?: Lookup;
}

/** What brings events to callback URLs. */
export async function openCallbacks(
  app: App,
  parts: Pick<RedisParts, 'redis' | 'queues' | 'audit'>,
  { schedule = ELEVEN_TRIES_IN_A_DAY, timeoutMs = app.config.callbackTimeoutMs, lookup }: CallbackOverrides = {},
): Promise<Callbacks> {
  const { keys, clock, config, callbackSecrets, connect, onClose } = app;
  const allowed = parseAllowList(config.outboundAllowHosts);
  const agent = createOutboundAgent({ allowed, proxy: config.proxy, ...(lookup !== undefined && { lookup }) });
  onClose(() => agent.destroy());
  return {
    ...callbackParts(app, parts, schedule),
    delivery: {
      ...{ agent, allowed, clock, timeoutMs, contentType: config.callbackContentType },
      signer: createCallbackSigner(callbackSecrets),
    },
    gate: createHostGate({ ...parts, keys, clock }),
    schedule,
    relay: { redis: await connect('blocking'), keys },
    events: {
      ...{ redis: parts.redis, blocking: await connect('blocking'), keys },
      lease: createProcessLease(parts.redis, keys.subscriptionRelay, randomUUID()),
    },
  };
}
