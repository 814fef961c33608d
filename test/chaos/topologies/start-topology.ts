import type { ServerProgram } from '../../support/redis-server.ts';
import { startCluster } from './cluster.ts';
import { startSentinel } from './sentinel.ts';
import { startSingle } from './single.ts';
import type { Topology, TopologyKind } from './topology.ts';

/** Starts a topology with its files in a folder; resolves once it is whole. */
export async function startTopology(kind: TopologyKind, folder: string, program?: ServerProgram): Promise<Topology> {
  if (kind === 'single') return await startSingle(folder, program);
  return kind === 'sentinel' ? await startSentinel(folder, program) : await startCluster(folder, program);
}
