import { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisTarget } from '../config/redis-config.ts';
import { SECOND_MS } from '../core/units.ts';
import {
  type Confirmation,
  type ConfirmationRound,
  createConfirmation,
  NO_CONFIRMATION,
  NotTheMasterError,
  type WrittenFact,
} from './confirmation.ts';
import { closeRedis, createRedis } from './connections.ts';
import type { Keys } from './keys.ts';
import type { RedisClient } from './lua-script.ts';
import { parseInfo } from './server-facts.ts';

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

/** Says whether a server still is the master. @throws Error why that can't be said */
interface MasterCheck {
  check(runId: string): Promise<void>;
  close(): Promise<void>;
}

interface ReplicaRoundOptions {
  /** A connection of role `confirmation`. */
  readonly client: RedisClient;
  /** A key that each look writes, so that its wait covers every write before it. */
  readonly markKey: string;
  readonly replicas: number;
  readonly masterCheck?: MasterCheck | undefined;
  readonly close: () => Promise<void>;
}

/** How long all connected replicas are waited for: the one that is left out could be the next master (ms). */
const ALL_REPLICAS_MS = 200;
/** How long as many as are asked for are waited for (ms). */
const REPLICAS_MS = SECOND_MS;
const MARK_KEPT_MS = 60 * SECOND_MS;

/**
 * Answers for each fact whether it is there, and leaves a write behind that a replica gets after all writes before.
 *
 * KEYS[1] the mark, then the hash of each fact. ARGV: the mark's text and how long it is kept (ms), then for each fact
 * its field, `is` or `atLeast`, and the value.
 */
const LOOK_LUA = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local answers = {}
for i = 2, #KEYS do
  local at = 3 + (i - 2) * 3
  local seen, wanted = redis.call('HGET', KEYS[i], ARGV[at]), ARGV[at + 2]
  local isThere
  if ARGV[at + 1] == 'is' then isThere = (seen or '') == wanted
  else isThere = seen and tonumber(seen) >= tonumber(wanted) end
  answers[i - 1] = isThere and 1 or 0
end
return answers
`;

const answersSchema = z.array(z.int());

/**
 * Looks at the present master: are the facts there, do its replicas have what it has (`WAIT` covers all writes before
 * it), and is it the master still? One that was frozen takes writes for a while after another one was promoted.
 */
function createReplicaRound(options: ReplicaRoundOptions): ConfirmationRound {
  const { client, markKey, replicas, masterCheck } = options;
  let looks = 0;
  let connectedReplicas = replicas;
  let slot: number | undefined;

  async function masterNode(): Promise<Redis> {
    if (client instanceof Redis) return client;
    slot ??= await client.cluster('KEYSLOT', markKey);
    return nodeOfSlot(client, slot);
  }

  return {
    async look(facts) {
      const node = await masterNode();
      looks += 1;
      const answers = await node
        .pipeline()
        // As one list: a call takes no more than some ten thousand arguments, and a bulk of jobs brings more.
        .call('EVAL', [
          ...[LOOK_LUA, 1 + facts.length, markKey, ...facts.map(({ key }) => key)],
          ...[looks, MARK_KEPT_MS, ...argsOf(facts)],
        ])
        .info('server')
        .info('replication')
        .wait(Math.max(replicas, connectedReplicas), ALL_REPLICAS_MS)
        .exec();
      const [found, server, replication, acknowledged] = (answers ?? []).map(([error, answer]) => {
        if (error) throw error;
        return answer;
      });
      connectedReplicas = Number(parseInfo(String(replication))('connected_slaves'));
      let count = Number(acknowledged);
      if (count < replicas) count = await node.wait(replicas, REPLICAS_MS);
      // A server that was replaced has lost its replicas, too: that is told first.
      await masterCheck?.check(parseInfo(String(server))('run_id'));
      if (count < replicas) throw new Error(`${count} of ${replicas} replicas have confirmed the write`);
      return answersSchema.parse(found).map((answer) => answer === 1);
    },

    reconnect() {
      if (client instanceof Cluster) client.refreshSlotsCache();
      else client.disconnect(true);
    },

    async close() {
      await Promise.all([options.close(), masterCheck?.close()]);
    },
  };
}

function argsOf(facts: readonly WrittenFact[]): (string | number)[] {
  return facts.flatMap((fact) => ('is' in fact ? [fact.field, 'is', fact.is] : [fact.field, 'atLeast', fact.atLeast]));
}

function nodeOfSlot(cluster: Cluster, slot: number): Redis {
  const [address] = cluster.slots[slot] ?? [];
  const node = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address);
  if (node === undefined) throw new Error('the master of our hash slot is unknown');
  return node;
}
