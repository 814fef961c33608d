import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import type { ProcessLinkFault } from './link-plan.ts';
import type { PlannedRound } from './round-plan.ts';
import { playNodeFault } from './topologies/node-fault.ts';
import { cutOff, type Topology } from './topologies/topology.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Everything is well again within this, or the harness itself is at fault. */
const SETTLE_MS = 180_000;
/** A fault of Redis hits every job, and records may come back older: each chunk since then may be sent again. */
const INTERRUPTIONS = { single: 1, sentinel: 3, cluster: 3 } as const;
const BY_LINK = 2;

/** What is done to Redis, to the paths to it, and from outside to the workers. */
export class Disturbances {
  /** One entry each. */
  readonly kinds: string[] = [];
  /** When Redis could serve again after each of them. */
  readonly ends: { readonly at: number; readonly kind: string; readonly round: number }[] = [];
  readonly #topology: Topology;
  readonly #slots: readonly WorkerSlot[];
  #outages = 0;
  #round = 0;

  constructor(topology: Topology, slots: readonly WorkerSlot[]) {
    this.#topology = topology;
    this.#slots = slots;
  }

  /** Interruptions that hit every job, whoever worked on it. */
  get outages(): number {
    return this.#outages;
  }

  /** Plays those of a round; resolves once the topology is whole again. */
  async play(round: number, { nodeFault, linkFault, signal }: PlannedRound): Promise<void> {
    this.#round = round;
    await Promise.all([this.#breakNode(nodeFault), this.#breakLink(linkFault), this.#signal(signal)]);
    await eventually(this.#topology.assertHealthy, { timeoutMs: SETTLE_MS, intervalMs: 100 });
  }

  async #breakNode(fault: PlannedRound['nodeFault']): Promise<void> {
    if (fault === undefined) return;
    await sleep(fault.afterMs);
    this.kinds.push(fault.kind);
    this.#outages += INTERRUPTIONS[this.#topology.kind];
    const at = await playNodeFault(this.#topology, fault);
    this.ends.push({ at, kind: fault.kind, round: this.#round });
  }

  async #breakLink(fault: PlannedRound['linkFault']): Promise<void> {
    if (fault === undefined) return;
    await sleep(fault.afterMs);
    const pid = this.#pidOf(fault);
    if (pid === undefined) return;
    this.kinds.push(`link_${fault.how}`);
    this.#outages += BY_LINK;
    const heal = cutOff(this.#topology, pid, fault.how);
    await sleep(fault.lastsMs);
    heal();
    this.ends.push({ at: Date.now(), kind: `link_${fault.how}`, round: this.#round });
  }

  #pidOf({ process: name }: ProcessLinkFault): number | undefined {
    return name === 'enqueuer' ? process.pid : this.#slots[name === 'worker-0' ? 0 : 1]?.pid;
  }

  async #signal(signal: PlannedRound['signal']): Promise<void> {
    if (signal === undefined) return;
    await sleep(signal.afterMs);
    this.#slots[signal.worker]?.signal(signal.name);
  }
}
