import { ELEVEN_TRIES_IN_A_DAY } from '../core/callback-schedule.ts';
import { createLedger } from '../ledger/ledger.ts';
import type { Queues } from '../queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { type CallbackDesk, createCallbackDesk } from './callback-desk.ts';
import { createDeliveryLog } from './delivery-log.ts';
import { createDeliveryOrder } from './delivery-order.ts';
import { createEndpointHealth, type EndpointHealth } from './endpoint-health.ts';

/** What a process needs that shows callbacks, and does what people want with them. */
export interface OpenCallbackDeskDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly queues: Queues;
  readonly retentionMs: number;
}

/** Puts the desk together. */
export function openCallbackDesk({ redis, keys, queues, retentionMs }: OpenCallbackDeskDeps): CallbackDesk {
  return createCallbackDesk({
    queues,
    ledger: createLedger({ redis, keys, clock: Date }),
    log: createDeliveryLog({ redis, keys, retentionMs }),
    order: createDeliveryOrder({ redis, keys, queues }),
    endpoints: openEndpointHealth({ redis, keys, queues, retentionMs }),
  });
}

/** What is remembered of endpoints, with the schedule that deliveries follow. */
export function openEndpointHealth(deps: OpenCallbackDeskDeps): EndpointHealth {
  return createEndpointHealth({ ...deps, clock: Date, schedule: ELEVEN_TRIES_IN_A_DAY });
}
