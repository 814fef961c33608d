import type { Callbacks } from '../callbacks/callback-deps.ts';
import { createDeliveries, type Deliveries, type DeliveriesDeps } from '../callbacks/deliveries.ts';
import { createDeliveryLog } from '../callbacks/delivery-log.ts';
import { createDeliveryOrder, type DeliveryOrder } from '../callbacks/delivery-order.ts';
import { createDisabledUrls } from '../callbacks/disabled-urls.ts';
import { createEndpointHealth } from '../callbacks/endpoint-health.ts';
import { createHostGate } from '../callbacks/host-gate.ts';
import { createCallbackSigner } from '../callbacks/signer.ts';
import { type CallbackSchedule, ELEVEN_TRIES_IN_A_DAY } from '../core/callback-schedule.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { createOutboundAgent, type Lookup } from '../outbound/outbound-agent.ts';
import type { App } from './open-app.ts';
import type { RedisParts } from './redis-parts.ts';

type CallbackParts = Pick<DeliveriesDeps, 'log' | 'endpoints' | 'disabled'> & { readonly order: DeliveryOrder };

function callbackParts(
  { keys, clock, config }: Pick<App, 'keys' | 'clock' | 'config'>,
  { redis, queues }: Pick<RedisParts, 'redis' | 'queues'>,
  schedule: CallbackSchedule,
): CallbackParts {
  const { retentionMs } = config;
  return {
    log: createDeliveryLog({ redis, keys, retentionMs }),
    order: createDeliveryOrder({ redis, keys, queues }),
    endpoints: createEndpointHealth({ redis, keys, queues, retentionMs, clock, schedule }),
    disabled: createDisabledUrls({ redis, keys, clock, retentionMs }),
  };
}

/** What people do with callbacks. */
export function deliveriesOf(
  app: Pick<App, 'keys' | 'clock' | 'config'>,
  parts: Pick<RedisParts, 'redis' | 'queues' | 'ledger'>,
): Deliveries {
  return createDeliveries({ ...parts, ...callbackParts(app, parts, ELEVEN_TRIES_IN_A_DAY) });
}

export interface CallbackOverrides {
  readonly schedule?: CallbackSchedule;
  /** Finds the addresses of a host; by default the system does. */
  readonly lookup?: Lookup;
}

/** What brings events to callback URLs. */
export async function openCallbacks(
  app: App,
  parts: Pick<RedisParts, 'redis' | 'queues'>,
  { schedule = ELEVEN_TRIES_IN_A_DAY, lookup }: CallbackOverrides = {},
): Promise<Callbacks> {
  const { keys, clock, config, callbackSecrets, connect, onClose } = app;
  const allowed = parseAllowList(config.outboundAllowHosts);
  const agent = createOutboundAgent({ allowed, proxy: config.proxy, ...(lookup !== undefined && { lookup }) });
  onClose(() => agent.destroy());
  const { timeoutMs } = schedule;
  return {
    ...callbackParts(app, parts, schedule),
    delivery: {
      ...{ agent, allowed, clock, timeoutMs, contentType: config.callbackContentType },
      signer: createCallbackSigner(callbackSecrets),
    },
    gate: createHostGate({ ...parts, keys, clock }),
    schedule,
    relay: { redis: await connect('blocking'), keys },
  };
}
