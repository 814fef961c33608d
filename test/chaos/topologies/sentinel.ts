import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { ServerProgram } from '../../support/redis-server.ts';
import { RedisNode } from './redis-node.ts';
import { assertMaster, assertReplica, type Topology } from './topology.ts';

const REPLICAS = 2;
const SENTINELS = 3;
const NAME = 'main';
const DOWN_AFTER_MS = 1_200;
/**
 * Sentinel looks at its nodes every 10 s, and tells a woken master to be a replica 8 s after it was seen (four times the
 * publish period). Both shorter, so that rounds are; a woken master is still believed for about three seconds.
 */
const PERIODS = ['INFO-PERIOD', '1000', 'PUBLISH-PERIOD', '700'];

/** One master, two replicas, three sentinels. */
export async function startSentinel(folder: string, program?: ServerProgram): Promise<Topology> {
  const nodes: RedisNode[] = [];
  for (let index = 0; index <= REPLICAS; index += 1) {
    const first = nodes[0];
    nodes.push(
      await RedisNode.start({
        folder: join(folder, `redis-${index}`),
        program,
        config: ({ proxy }) => [
          'replica-announce-ip 127.0.0.1',
          `replica-announce-port ${proxy}`,
          'repl-timeout 6',
          'repl-ping-replica-period 1',
          ...(first === undefined ? [] : [`replicaof 127.0.0.1 ${first.proxy.port}`]),
        ],
      }),
    );
  }
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, async (_, index) => {
      return await RedisNode.start({
        folder: join(folder, `sentinel-${index}`),
        program,
        isSentinel: true,
        config: ({ proxy }) => [
          'sentinel announce-ip 127.0.0.1',
          `sentinel announce-port ${proxy}`,
          `sentinel monitor ${NAME} 127.0.0.1 ${nodes[0]?.proxy.port} 2`,
          `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
          `sentinel failover-timeout ${NAME} 3000`,
          `sentinel parallel-syncs ${NAME} 2`,
        ],
      });
    }),
  );
  // Versions before 7.0 know no such setting; they only take longer.
  const hasten = async ({ admin }: RedisNode) =>
    await admin.call('SENTINEL', 'DEBUG', ...PERIODS).catch(() => undefined);
  await Promise.all(sentinels.map(hasten));

  async function master(): Promise<RedisNode> {
    const named = await Promise.all(
      sentinels.map(async ({ admin }) => {
        const address = await admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME).catch(() => undefined);
        return Array.isArray(address) ? Number(address[1]) : undefined;
      }),
    );
    const found = nodes.find(({ proxy }) => named.filter((port) => port === proxy.port).length > SENTINELS / 2);
    if (found === undefined) throw new Error('the sentinels do not agree on a master');
    return found;
  }

  async function assertHealthy(): Promise<void> {
    const chief = await master();
    await assertMaster(chief, REPLICAS);
    await Promise.all(nodes.filter((node) => node !== chief).map(assertReplica));
    await Promise.all(sentinels.map(async (sentinel) => await assertContent(sentinel)));
  }

  const topology: Topology = {
    kind: 'sentinel',
    target: {
      kind: 'sentinel',
      nodes: sentinels.map(({ proxy }) => ({ host: '127.0.0.1', port: proxy.port })),
      name: NAME,
      login: { username: undefined, password: undefined, tls: false },
      sentinelPassword: undefined,
    },
    nodes,
    sentinels,
    master,
    replicas: REPLICAS,
    async replica() {
      const chief = await master();
      const [first] = nodes.filter((node) => node !== chief);
      if (first === undefined) throw new Error('there is no replica');
      return first;
    },
    assertHealthy,
    async failOver() {
      const old = await master();
      await sentinels[0]?.admin.call('SENTINEL', 'FAILOVER', NAME);
      await eventually(async () => (await master()) !== old);
    },
    moveSlot: () => Promise.reject(new Error('only clusters have slots')),
    async close() {
      await Promise.all([...sentinels, ...nodes].map((node) => node.close()));
    },
  };
  await eventually(assertHealthy, { intervalMs: 100 });
  return topology;
}

/** @throws Error unless the sentinel sees the master, all replicas and all other sentinels, and nobody down */
async function assertContent({ admin }: RedisNode): Promise<void> {
  const facts = fieldsOf(await admin.call('SENTINEL', 'MASTER', NAME));
  const others = [facts.get('num-slaves'), facts.get('num-other-sentinels')];
  if (facts.get('flags') !== 'master') throw new Error(`a sentinel sees the master as ${facts.get('flags')}`);
  if (Number(others[0]) < REPLICAS || Number(others[1]) < SENTINELS - 1) throw new Error('a sentinel misses somebody');
  const replicas = await admin.call('SENTINEL', 'REPLICAS', NAME);
  const flags = Array.isArray(replicas) ? replicas.map((replica) => fieldsOf(replica).get('flags')) : [];
  if (flags.some((flag) => flag !== 'slave')) throw new Error(`a sentinel sees replicas as ${flags.join(' ')}`);
}

function fieldsOf(flat: unknown): ReadonlyMap<string, string> {
  const items = Array.isArray(flat) ? flat.map(String) : [];
  return new Map(items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1] ?? ''] as const] : [])));
}
