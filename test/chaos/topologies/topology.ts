import type { RedisTarget } from '../../../src/config/redis-config.ts';
import type { LinkFault, PeerKind } from '../../support/redis-proxy/link.ts';
import type { RedisNode } from './redis-node.ts';

export const TOPOLOGIES = ['single', 'sentinel', 'cluster'] as const;
export type TopologyKind = (typeof TOPOLOGIES)[number];

/** Real Redis processes, each behind a proxy. */
export interface Topology {
  readonly kind: TopologyKind;
  /** What workers and enqueuers are given; leads through the proxies. */
  readonly target: RedisTarget;
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly RedisNode[];
  /** The node that holds our keys, as the majority sees it. Rejects while nobody does. */
  master(): Promise<RedisNode>;
  /** A replica of that node. */
  replica(): Promise<RedisNode>;
  /** How many replicas each master has. */
  readonly replicas: number;
  /** Passes when all nodes are there and in step. @throws Error that says what is not */
  assertHealthy(): Promise<void>;
  /** Makes a replica the master by command. */
  failOver(how: 'plain' | 'force' | 'takeover'): Promise<void>;
  /** Moves the slot of our keys to another master while they are used. Clusters only. */
  moveSlot(): Promise<void>;
  close(): Promise<void>;
}

/** The hash tag of all keys of a stage. */
export const KEY_PREFIX = '{chaos}';

/**
 * Breaks the paths between a node and the others that keep it in step; its clients still reach it.
 * @returns what heals them
 */
export function partition(topology: Topology, node: RedisNode, from: readonly PeerKind[], how: LinkFault): () => void {
  const heals = from.map((kind) => node.proxy.break(how, { kind }));
  if (topology.kind === 'cluster') {
    heals.push(...(node.busProxy === undefined ? [] : [node.busProxy.break(how)]));
    const others = topology.nodes.filter((other) => other !== node);
    heals.push(
      ...others.flatMap(({ busProxy }) => (busProxy === undefined ? [] : [busProxy.break(how, { pid: node.pid })])),
    );
  }
  return () => {
    for (const heal of heals) heal();
  };
}

/** Breaks the paths of one process to all nodes. @returns what heals them */
export function cutOff(topology: Topology, pid: number, how: LinkFault): () => void {
  const heals = [...topology.nodes, ...topology.sentinels].map(({ proxy }) => proxy.break(how, { pid }));
  return () => {
    for (const heal of heals) heal();
  };
}

/** Fields of INFO replication. */
async function replicationOf({ admin }: RedisNode): Promise<ReadonlyMap<string, string>> {
  const lines = (await admin.info('replication')).split('\r\n').map((line) => line.split(':'));
  return new Map(lines.map(([name = '', ...value]) => [name, value.join(':')]));
}

/** @throws Error unless the node is a replica that has all that its master sent */
export async function assertReplica(node: RedisNode): Promise<void> {
  const facts = await replicationOf(node);
  if (facts.get('role') !== 'slave') throw new Error('a node that should be a replica is none');
  const isInStep = facts.get('master_link_status') === 'up' && facts.get('master_sync_in_progress') === '0';
  if (!isInStep) throw new Error('a replica is not in step');
}

/** @throws Error unless the node is a master with so many replicas that have what it wrote */
export async function assertMaster(node: RedisNode, replicas: number): Promise<void> {
  const facts = await replicationOf(node);
  if (facts.get('role') !== 'master') throw new Error('a node that should be the master is none');
  const offset = Number(facts.get('master_repl_offset'));
  const online = [...facts]
    .filter(([name]) => /^slave\d+$/.test(name))
    .filter(
      ([, value]) => value.includes('state=online') && Number(/offset=(\d+)/.exec(value)?.[1]) >= offset - 20_000,
    );
  if (online.length < replicas) throw new Error(`the master has ${online.length} replicas in step`);
}
