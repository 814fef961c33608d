import type { RedisTarget } from '../config/redis-config.ts';
import { type Confirmation, createConfirmation, NO_CONFIRMATION } from './confirmation.ts';
import { closeRedis, createRedis } from './connections.ts';
import type { Keys } from './keys.ts';
import { createReplicaRound } from './replica-round.ts';
import { createSentinelCheck } from './sentinel-check.ts';

export interface OpenConfirmationOptions {
  readonly keys: Pick<Keys, 'confirmationMark'>;
  /** `REDIS_WAIT_REPLICAS`: how many replicas must have a write; by default 1 where replicas take over, else 0. */
  readonly replicas?: number | undefined;
  /** Told that other connections may still lead to a master that was replaced. */
  readonly onStale?: () => void;
}

/** Opens what confirms writes on a Redis; it connects when it is first used. */
export function openConfirmation(
  target: RedisTarget,
  { keys, replicas, onStale }: OpenConfirmationOptions,
): Confirmation {
  const wanted = replicas ?? defaultReplicas(target);
  if (wanted === 0) return NO_CONFIRMATION;
  const client = createRedis(target, 'confirmation');
  return createConfirmation(
    createReplicaRound({
      ...{ client, markKey: keys.confirmationMark, replicas: wanted, close: () => closeRedis(client) },
      masterCheck: target.kind === 'sentinel' ? createSentinelCheck(target) : undefined,
    }),
    onStale,
  );
}

/** A single Redis may have none. */
export function defaultReplicas({ kind }: { readonly kind: RedisTarget['kind'] | 'embedded' }): number {
  return kind === 'sentinel' || kind === 'cluster' ? 1 : 0;
}
