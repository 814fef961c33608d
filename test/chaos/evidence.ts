import { eventually } from '../support/eventually.ts';
import type { Evidence } from './check-job.ts';
import type { EnqueuedJob } from './enqueue-job.ts';
import type { Stage } from './stage.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Gathers what is known of a job. @param outages interruptions that hit every job */
export async function evidenceOf(
  stage: Stage,
  slots: readonly WorkerSlot[],
  { id, plan, openId, sha256 }: EnqueuedJob,
  outages: number,
): Promise<Evidence> {
  const { journal } = stage.simulator;
  const job = await eventually(async () => ({ found: await stage.lookUp(id) }));
  const interruptions = slots.reduce((sum, slot) => sum + slot.interruptionsOf(id), 0);
  return {
    ...{ plan, sha256, job: job.found },
    publishes: journal.publishes().filter((publish) => publish.openId === openId),
    requests: journal.requests({ openId }),
    events: await stage.eventsOf(id),
    interruptions: interruptions + outages,
    overtakenPieces: overtakenPieces(slots, id),
    mayHaveTwoOwners: stage.topology.kind !== 'single',
  };
}

function overtakenPieces(slots: readonly WorkerSlot[], id: string): number {
  const claims = slots.flatMap((slot) => slot.claims).filter((claim) => claim.id === id);
  const pieces = slots.flatMap((slot) => slot.pieces).filter((piece) => piece.id === id);
  return pieces.filter(({ at, pid }) => {
    const earlier = claims.filter((claim) => claim.at < at).sort((a, b) => a.at - b.at);
    const owner = earlier.at(-1);
    return owner !== undefined && owner.pid !== pid;
  }).length;
}
