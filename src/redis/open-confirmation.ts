import { z } from 'zod';
import type { RedisTarget } from '../config/redis-config.ts';
import { type Confirmation, createConfirmation, NO_CONFIRMATION, NotTheMasterError } from './confirmation.ts';
import { closeRedis, createRedis } from './connections.ts';
import type { Keys } from './keys.ts';
import type { RedisClient } from './lua-script.ts';
import { createReplicaRound, type MasterCheck } from './replica-round.ts';

const pairsSchema = z.array(z.string());

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

type SentinelTarget = Extract<RedisTarget, { kind: 'sentinel' }>;

interface SentinelView {
  readonly flags: string;
  readonly runId: string;
  /** Grows with every failover: the view with the highest one is the newest. */
  readonly configEpoch: number;
}

/**
 * Asks all sentinels of the settings; most must answer. Before another server is promoted, the sentinel that promotes it
 * reports `failover_in_progress`; after that, it names the other server under a higher epoch. If no sentinel reports
 * either, only this server took writes until now. The sentinel that promotes must be among those asked, so the settings
 * must name all of them.
 * @internal
 */
export function createSentinelCheck(target: SentinelTarget): MasterCheck {
  const sentinels = target.nodes.map((node) => createRedis(sentinelTarget(node, target), 'sentinel'));
  const needed = Math.floor(sentinels.length / 2) + 1;
  return {
    async check(runId) {
      const views = await Promise.allSettled(sentinels.map((sentinel) => askAboutMaster(sentinel, target.name)));
      const seen = views.flatMap((view) => (view.status === 'fulfilled' ? [view.value] : []));
      if (seen.length < needed) throw new Error(`${seen.length} of ${sentinels.length} sentinels answered`);
      if (seen.some(({ flags }) => /failover_in_progress|o_down/.test(flags)))
        throw new Error('a failover is in progress');
      const newest = Math.max(...seen.map(({ configEpoch }) => configEpoch));
      const names = seen.filter(({ configEpoch }) => configEpoch === newest).map((view) => view.runId);
      if (names.some((name) => name !== runId)) throw new NotTheMasterError('the sentinels report a different master');
    },
    async close() {
      await Promise.all(sentinels.map(closeRedis));
    },
  };
}

async function askAboutMaster(sentinel: RedisClient, name: string): Promise<SentinelView> {
  const pairs = pairsSchema.parse(await sentinel.call('SENTINEL', 'MASTER', name));
  const field = (name: string): string => pairs[pairs.indexOf(name) + 1] ?? '';
  return { flags: field('flags'), runId: field('runid'), configEpoch: Number(field('config-epoch')) };
}

function sentinelTarget({ host, port }: SentinelTarget['nodes'][number], target: SentinelTarget): RedisTarget {
  const login = target.sentinelPassword === undefined ? '' : `:${encodeURIComponent(target.sentinelPassword)}@`;
  const { deadPeerMs, tls } = target;
  const url = `${target.login.tls ? 'rediss' : 'redis'}://${login}${host}:${port}`;
  return { kind: 'url', url, ...(deadPeerMs !== undefined && { deadPeerMs }), ...(tls && { tls }) };
}
