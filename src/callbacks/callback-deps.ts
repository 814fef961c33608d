import type { Logger } from 'pino';
import type { CallbackSchedule } from '../core/callback-schedule.ts';
import type { Clock } from '../core/ports.ts';
import type { RequestSecrets } from '../core/request-secrets.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { ProcessLease } from '../redis/process-lease.ts';
import type { DeliveryDeps } from './delivery.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { DeliveryOrder } from './delivery-order.ts';
import type { DisabledUrls } from './disabled-urls.ts';
import type { EndpointHealth } from './endpoint-health.ts';
import type { HostGate } from './host-gate.ts';
import type { Subscriptions } from './subscriptions.ts';

/** What brings events to callback URLs, beside what all workers have. */
export interface Callbacks {
  readonly delivery: DeliveryDeps;
  readonly log: DeliveryLog;
  readonly order: DeliveryOrder;
  readonly endpoints: EndpointHealth;
  readonly disabled: DisabledUrls;
  readonly gate: HostGate;
  readonly subscriptions: Subscriptions;
  readonly schedule: CallbackSchedule;
  /** A connection of the relay's own, since its reads block. */
  readonly relay: { readonly redis: RedisClient; readonly keys: Keys };
  /** The same for subscriptions, with another one for short commands. Who has the lease relays. */
  readonly events: {
    readonly redis: RedisClient;
    readonly blocking: RedisClient;
    readonly keys: Keys;
    readonly lease: ProcessLease;
  };
}

export interface CallbackDeps {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly requestSecrets: RequestSecrets;
  readonly queues: Queues;
  readonly metrics: Pick<Metrics, 'eventDelivered'>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly callbacks: Callbacks;
}
