import type { Telemetry } from 'bullmq';
import type { Clock } from '../core/ports.ts';
import { type CreatorCache, createCreatorCache } from '../creators/creator-cache.ts';
import { type AccountNames, createAccountNames } from '../lanes/account-names.ts';
import { createLanes, type Lanes } from '../lanes/lanes.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { createLedgerMark, type LedgerMark } from '../ledger/ledger-mark.ts';
import { createLedgerReader, type LedgerReader } from '../ledger/ledger-reader.ts';
import { createQueues, type Queues } from '../queues/queues.ts';
import { type Caps, createCaps } from '../quota/caps.ts';
import { createSlots, type Slots } from '../quota/slots.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { RedisAccess } from './redis-access.ts';

/** What is kept in Redis, on one connection. A process has one of these per role of connection that it needs. */
export interface RedisParts {
  readonly redis: RedisClient;
  readonly queues: Queues;
  readonly ledger: Ledger;
  readonly reader: LedgerReader;
  readonly mark: LedgerMark;
  readonly lanes: Lanes;
  readonly accountNames: AccountNames;
  readonly slots: Slots;
  readonly caps: Caps;
  readonly creatorCache: CreatorCache;
}

export interface RedisPartsOptions {
  readonly clock: Clock;
  /** How long finished entries of the queues are kept (ms). */
  readonly retentionMs: number;
  /** Carries traces over the queues. */
  readonly telemetry: Telemetry | undefined;
}

/** Builds each of them once; they are closed with the access to Redis. */
export function openRedisParts(
  { keys, confirmation, onClose }: Pick<RedisAccess, 'keys' | 'confirmation' | 'onClose'>,
  redis: RedisClient,
  { clock, retentionMs, telemetry }: RedisPartsOptions,
): RedisParts {
  const queues = createQueues({ connection: redis, prefix: keys.prefix, retentionMs, telemetry });
  onClose(() => queues.close());
  return {
    redis,
    queues,
    ledger: createLedger({ redis, keys, clock, confirmation }),
    reader: createLedgerReader({ redis, keys }),
    mark: createLedgerMark({ redis, keys, confirmation }),
    lanes: createLanes({ redis, keys, clock }),
    accountNames: createAccountNames({ redis, keys, clock }),
    slots: createSlots({ redis, keys, clock }),
    caps: createCaps({ redis, keys, clock }),
    creatorCache: createCreatorCache({ redis, keys, clock }),
  };
}
