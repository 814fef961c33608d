import { join } from 'node:path';
import type { ServerProgram } from '../../support/redis-server.ts';
import { RedisNode } from './redis-node.ts';
import type { Topology } from './topology.ts';

/** One Redis. */
export async function startSingle(folder: string, program?: ServerProgram): Promise<Topology> {
  const node = await RedisNode.start({ folder: join(folder, 'redis'), program });
  const never = (): Promise<never> => Promise.reject(new Error('a single Redis has nowhere to go'));
  return {
    kind: 'single',
    target: { kind: 'url', url: `redis://127.0.0.1:${node.proxy.port}` },
    nodes: [node],
    sentinels: [],
    replicas: 0,
    replica: never,
    master: () => Promise.resolve(node),
    assertHealthy: async () => void (await node.admin.ping()),
    failOver: never,
    moveSlot: never,
    close: () => node.close(),
  };
}
