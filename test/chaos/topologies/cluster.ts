import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { ServerProgram } from '../../support/redis-server.ts';
import { moveSlot } from './move-slot.ts';
import { RedisNode } from './redis-node.ts';
import { assertMaster, assertReplica, KEY_PREFIX, type Topology } from './topology.ts';

const MASTERS = 3;
const SLOTS = 16_384;

/** A line of CLUSTER NODES. */
interface ClusterView {
  readonly id: string;
  readonly port: number;
  readonly isMaster: boolean;
  readonly isWell: boolean;
  readonly masterId: string;
  readonly ranges: readonly (readonly [number, number])[];
}

/** Three masters with a replica each. */
export async function startCluster(folder: string, program?: ServerProgram): Promise<Topology> {
  const nodes = await Promise.all(
    Array.from({ length: 2 * MASTERS }, async (_, index) => {
      return await RedisNode.start({
        folder: join(folder, `redis-${index}`),
        program,
        hasBus: true,
        config: ({ proxy, bus, busProxy }) => [
          'cluster-enabled yes',
          `cluster-port ${bus}`,
          'cluster-announce-ip 127.0.0.1',
          `cluster-announce-port ${proxy}`,
          `cluster-announce-bus-port ${busProxy}`,
          'cluster-node-timeout 2000',
          'cluster-replica-validity-factor 0',
          'cluster-allow-replica-migration no',
          'repl-timeout 6',
          'repl-ping-replica-period 1',
        ],
      });
    }),
  );
  await form(nodes);
  const slot = Number(await nodes[0]?.admin.call('CLUSTER', 'KEYSLOT', KEY_PREFIX));

  const byPort = (port: number): RedisNode => {
    const node = nodes.find(({ proxy }) => proxy.port === port);
    if (node === undefined) throw new Error(`no node announces port ${port}`);
    return node;
  };

  async function master(): Promise<RedisNode> {
    const views = await Promise.all(nodes.map(async (node) => await viewOf(node).catch(() => [])));
    const owners = views.map((view) => view.find((line) => line.isMaster && holds(line, slot))?.port);
    const owner = owners.find((port) => owners.filter((other) => other === port).length > nodes.length / 2);
    if (owner === undefined) throw new Error('the nodes do not agree on who holds the slot');
    return byPort(owner);
  }

  /** A master and its replica, whichever is which by now. */
  const shardOf = (node: RedisNode): number => nodes.indexOf(node) % MASTERS;

  async function replica(): Promise<RedisNode> {
    const chief = await master();
    const view = await viewOf(chief);
    const { id } = lineOf(view, chief);
    const found = view.find(({ masterId }) => masterId === id);
    if (found === undefined) throw new Error('the master has no replica');
    return byPort(found.port);
  }

  async function assertHealthy(): Promise<void> {
    await master();
    const views = await Promise.all(nodes.map(viewOf));
    for (const view of views) {
      if (view.length !== nodes.length || view.some(({ isWell }) => !isWell)) throw new Error('a node misses another');
      const pictures = view.map(pictureOf).sort().join();
      if (pictures !== views[0]?.map(pictureOf).sort().join()) throw new Error('the nodes differ on who is who');
    }
    for (const { admin } of nodes) {
      if (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) throw new Error('CLUSTERDOWN');
    }
    const picture = views[0] ?? [];
    const masters = picture.filter(({ isMaster }) => isMaster);
    await Promise.all(masters.map(async ({ port }) => await assertMaster(byPort(port), 1)));
    await Promise.all(
      picture.filter((line) => !line.isMaster).map(async ({ port }) => await assertReplica(byPort(port))),
    );
  }

  const topology: Topology = {
    kind: 'cluster',
    target: {
      kind: 'cluster',
      nodes: nodes.map(({ proxy }) => ({ host: '127.0.0.1', port: proxy.port })),
      login: { username: undefined, password: undefined, tls: false },
    },
    nodes,
    sentinels: [],
    master,
    replicas: 1,
    replica,
    assertHealthy,
    async failOver(how) {
      const old = await master();
      const mode = how === 'plain' ? [] : [how.toUpperCase()];
      await (await replica()).admin.call('CLUSTER', 'FAILOVER', ...mode);
      await eventually(async () => (await master()) !== old);
    },
    async moveSlot() {
      const source = shardOf(await master());
      await eventually(
        async () => {
          const from = await master();
          if (shardOf(from) !== source) return;
          const view = await viewOf(from);
          const masters = view.filter(({ isMaster }) => isMaster).map(({ port }) => byPort(port));
          const to = masters.find((node) => shardOf(node) === (source + 1) % MASTERS);
          if (to === undefined) throw new Error('the next shard has no master');
          await moveSlot(slot, { from, fromId: lineOf(view, from).id, to, toId: lineOf(view, to).id, masters });
        },
        { intervalMs: 100 },
      );
      await eventually(async () => shardOf(await master()) !== source);
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
  await eventually(assertHealthy, { intervalMs: 100 });
  return topology;
}

/** Makes a cluster of empty nodes: the second half are replicas of the first. */
async function form(nodes: readonly RedisNode[]): Promise<void> {
  const [first] = nodes;
  await Promise.all(
    nodes.map(async ({ admin }, index) => {
      await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index >= MASTERS) return;
      const share = (at: number): number => Math.floor((SLOTS * at) / MASTERS);
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', share(index), share(index + 1) - 1);
    }),
  );
  for (const { proxy, busProxy } of nodes.slice(1)) {
    await first?.admin.call('CLUSTER', 'MEET', '127.0.0.1', proxy.port, busProxy?.port ?? 0);
  }
  for (const [index, node] of nodes.entries()) {
    if (index < MASTERS) continue;
    const master = nodes[index - MASTERS];
    await eventually(
      async () => {
        if (master === undefined) throw new Error('there are too few masters');
        const view = await viewOf(node);
        return (await node.admin.call('CLUSTER', 'REPLICATE', lineOf(view, master).id)) === 'OK';
      },
      { timeoutMs: 90_000 },
    );
  }
}

async function viewOf({ admin }: RedisNode): Promise<ClusterView[]> {
  const lines = String(await admin.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [id = '', address = '', flags = '', masterId = '', , , , link = '', ...slots] = line.split(' ');
    return {
      ...{ id, masterId },
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      isMaster: flags.includes('master'),
      isWell: !/fail|handshake|noaddr/.test(flags) && link === 'connected',
      ranges: slots.flatMap((slot) => {
        // [5461->-node] is a slot on its way.
        const [, begin, end] = /^(\d+)(?:-(\d+))?$/.exec(slot) ?? [];
        return begin === undefined ? [] : [[Number(begin), Number(end ?? begin)] as const];
      }),
    };
  });
}

function lineOf(view: readonly ClusterView[], node: RedisNode): ClusterView {
  const line = view.find(({ port }) => port === node.proxy.port);
  if (line === undefined) throw new Error('a node is not known yet');
  return line;
}

function holds({ ranges }: ClusterView, slot: number): boolean {
  return ranges.some(([begin, end]) => begin <= slot && slot <= end);
}

function pictureOf({ id, isMaster, masterId, ranges }: ClusterView): string {
  return `${id} ${isMaster ? `master of ${ranges.join(' ')}` : `replica of ${masterId}`}`;
}
