import { startCluster } from './cluster.ts';
import { startSentinel } from './sentinel.ts';
import { startSingle } from './single.ts';
import type { Topology, TopologyKind } from './topology.ts';

/** Starts a topology with its files in a folder; resolves once it is whole. */
export async function startTopology(kind: TopologyKind, folder: string): Promise<Topology> {
  if (kind === 'single') return await startSingle(folder);
  return kind === 'sentinel' ? await startSentinel(folder) : await startCluster(folder);
}
