import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import type { LinkFault } from '../../support/redis-proxy/link.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { RedisNode } from './redis-node.ts';
import { partition, type Topology, type TopologyKind } from './topology.ts';
import { tearAof } from './torn-aof.ts';

/** What happens to the node that holds our keys, unless it says otherwise. */
const KINDS = {
  single: ['kill', 'freeze', 'full', 'torn_aof', 'link'],
  sentinel: [
    ...['freeze', 'kill', 'isolate', 'fail_over', 'freeze', 'blip', 'without_replicas', 'without_sentinels'],
    ...['replica_kill', 'full', 'torn_aof', 'link'],
  ],
  cluster: [
    ...['freeze', 'kill', 'isolate', 'fail_over', 'move_slot', 'freeze', 'blip', 'without_replicas'],
    ...['replica_kill', 'full', 'torn_aof', 'link'],
  ],
} as const;
type NodeFaultKind = (typeof KINDS)[TopologyKind][number];

/** One thing that goes wrong with one node. */
export interface NodeFault {
  /**
   * - `kill`: SIGKILL, and it returns after `lastsMs`; `blip`: it returns at once, before anybody misses it
   * - `freeze`: SIGSTOP, and it wakes up after `lastsMs` as if nothing had been
   * - `isolate`: replicas, sentinels and the cluster's bus can't reach it, clients can; `without_…`: only those can't
   * - `full`: it takes no writes; `link`: something is wrong with every connection to it
   * - `torn_aof`: killed, and the end of its append-only file is lost
   */
  readonly kind: NodeFaultKind;
  readonly afterMs: number;
  readonly lastsMs: number;
  readonly how: LinkFault;
  readonly failOver: 'plain' | 'force' | 'takeover';
  /** Of the append-only file that are torn off. */
  readonly tornBytes: number;
}

const PARTITIONS = ['black_hole', 'black_hole', 'refuse', 'deaf', 'mute'] as const;
const LINK_FAULTS = ['cut', 'refuse', 'delay', 'deaf', 'mute', 'black_hole', 'half_close'] as const;
const BLIP_MS = 200;

/** Plans a node fault; the kinds take turns from round to round. */
export function planNodeFault(random: SeededRandom, topology: TopologyKind, turn: number): NodeFault | undefined {
  const kinds = KINDS[topology];
  const kind = kinds[turn % kinds.length] ?? 'kill';
  const isPartition = kind === 'isolate' || kind === 'without_replicas' || kind === 'without_sentinels';
  const fault = {
    kind,
    afterMs: random.int(0, 2_000),
    lastsMs: topology === 'single' ? random.int(300, 4_000) : random.int(1_500, 5_500),
    how: isPartition ? random.pick(PARTITIONS) : random.pick(LINK_FAULTS),
    failOver: random.pick(['plain', 'force', 'takeover']),
    tornBytes: random.int(1, 4_096),
  } as const;
  return topology === 'single' && random.chance(0.4) ? undefined : fault;
}

/**
 * Does it and ends it.
 * @returns when Redis could serve our keys again: the fault was over, or another node had taken over
 */
export async function playNodeFault(topology: Topology, fault: NodeFault): Promise<number> {
  const { kind, lastsMs } = fault;
  const master = await eventually(topology.master, { intervalMs: 100 });
  switch (kind) {
    case 'freeze':
      master.freeze();
      return await until(topology, master, lastsMs, () => master.wake());
    case 'kill':
      await master.kill();
      return await until(topology, master, lastsMs, () => master.start());
    case 'blip':
      await master.kill();
      return await until(topology, master, BLIP_MS, () => master.start());
    case 'torn_aof':
      return await tear(topology, master, fault);
    case 'replica_kill': {
      const replica = await topology.replica();
      await replica.kill();
      return await until(topology, master, lastsMs, () => replica.start());
    }
    case 'full':
      await master.admin.config('SET', 'maxmemory', '1');
      return await until(topology, master, Math.min(lastsMs, 2_500), async () => {
        await master.admin.config('SET', 'maxmemory', '0');
      });
    case 'fail_over':
      // It may be refused, as when no replica is in step just now; a person would try again, we leave it.
      await topology.failOver(fault.failOver).catch(() => undefined);
      return Date.now();
    case 'move_slot':
      await topology.moveSlot();
      return Date.now();
    case 'link':
      return await until(topology, master, lastsMs, master.proxy.break(fault.how));
    default: {
      const from = kind === 'isolate' ? (['replica', 'sentinel'] as const) : KEPT_OUT[kind];
      return await until(topology, master, lastsMs, partition(topology, master, from, fault.how));
    }
  }
}

const KEPT_OUT = { without_replicas: ['replica'], without_sentinels: ['sentinel'] } as const;

/** Lets a fault last and ends it. @returns when another node had taken over, if that was earlier */
async function until(
  topology: Topology,
  master: RedisNode,
  lastsMs: number,
  end: () => void | Promise<void>,
): Promise<number> {
  const watching = new AbortController();
  const takenOver = takeover(topology, master, watching.signal);
  await sleep(lastsMs);
  await end();
  const endedAt = Date.now();
  watching.abort();
  return Math.min(endedAt, await takenOver);
}

/** When another node had become the master. */
async function takeover(topology: Topology, master: RedisNode, signal: AbortSignal): Promise<number> {
  if (topology.kind === 'single') return Number.POSITIVE_INFINITY;
  while (!signal.aborted) {
    const chief = await topology.master().catch(() => master);
    if (chief !== master) return Date.now();
    await sleep(100);
  }
  return Number.POSITIVE_INFINITY;
}

const TAKEOVER_LIMIT_MS = 20_000;

async function tear(topology: Topology, master: RedisNode, fault: NodeFault): Promise<number> {
  await master.kill();
  const limit = AbortSignal.timeout(TAKEOVER_LIMIT_MS);
  const takenOverAt = await takeover(topology, master, limit);
  await tearAof(master, topology.kind === 'single' ? 'unfinished' : 'unsynced', fault.tornBytes);
  if (topology.kind === 'single') await sleep(fault.lastsMs);
  await master.start();
  return Math.min(takenOverAt, Date.now());
}
