import type { Telemetry } from 'bullmq';
import { createAccountNames } from '../accounts/account-names.ts';
import type { Clock } from '../core/ports.ts';
import { createApiKeys } from '../http/access/api-keys.ts';
import { createAuditTrail } from '../http/access/audit-trail.ts';
import { createLedger } from '../ledger/ledger.ts';
import { createLedgerReader } from '../ledger/ledger-reader.ts';
import { createOperationStore } from '../ledger/operations.ts';
import { createQueues, type Queues } from '../ledger/queues/queues.ts';
import { createStatisticsStore } from '../ledger/statistics-store.ts';
import { createLedgerVersionStore } from '../ledger/version-store.ts';
import { createCaps } from '../limits/caps.ts';
import { createCreatorCache } from '../limits/creator-cache.ts';
import { createFacts } from '../limits/facts.ts';
import { createLanes } from '../limits/lanes.ts';
import { createPauseStore } from '../limits/publishing-pause.ts';
import { createReservations } from '../limits/reservations.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { RedisAccess } from './redis-access.ts';

/** What is kept in Redis, on one connection. */
export type StoredParts = ReturnType<typeof storedParts>;

/** The same with the queues. A process has one of these per role of connection that it needs. */
export interface RedisParts extends StoredParts {
  readonly queues: Queues;
}

export interface RedisPartsOptions {
  readonly clock: Clock;
  /** Carries traces over the queues. */
  readonly telemetry: Telemetry | undefined;
}

/** Builds each of them once; they are closed with the access to Redis. */
export function openRedisParts(
  access: Pick<RedisAccess, 'keys' | 'confirmation' | 'onClose'>,
  redis: RedisClient,
  { clock, ...options }: RedisPartsOptions,
): RedisParts {
  return { ...storedParts(access, redis, clock), queues: openQueues(access, redis, options) };
}

/** Builds what sends nothing to Redis until it is used. */
export function storedParts(
  { keys, confirmation }: Pick<RedisAccess, 'keys' | 'confirmation'>,
  redis: RedisClient,
  clock: Clock,
) {
  const audit = createAuditTrail({ redis, keys });
  return {
    redis,
    ledger: createLedger({ redis, keys, clock, confirmation }),
    reader: createLedgerReader({ redis, keys, clock }),
    versions: createLedgerVersionStore({ redis, keys, confirmation }),
    lanes: createLanes({ redis, keys, clock }),
    publishingPause: createPauseStore({ redis, keys, clock }),
    accountNames: createAccountNames({ redis, keys }),
    reservations: createReservations({ redis, keys, clock }),
    caps: createCaps({ redis, keys, clock }),
    facts: createFacts({ redis, keys, clock }),
    apiKeys: createApiKeys({ redis, keys, clock, audit }),
    audit,
    operations: createOperationStore({ redis, keys, clock }),
    statistics: createStatisticsStore({ redis, keys, clock }),
    creatorCache: createCreatorCache({ redis, keys, clock }),
  };
}

/** Opens the queues, which BullMQ begins with a write. */
export function openQueues(
  { keys, onClose }: Pick<RedisAccess, 'keys' | 'onClose'>,
  redis: RedisClient,
  { telemetry }: Omit<RedisPartsOptions, 'clock'>,
): Queues {
  const queues = createQueues({ connection: redis, prefix: keys.prefix, telemetry });
  onClose(() => queues.close());
  return queues;
}
