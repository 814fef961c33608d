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
    const earlier = claims.filter((claim) => claim.at < at);
    const own = Math.max(...earlier.filter((claim) => claim.pid === pid).map((claim) => claim.at));
    // A process that slept hears late of a claim that was overtaken meanwhile: only one that began after ours overtakes ours.
    return earlier.some((claim) => claim.pid !== pid && claim.askedAt > own);
  }).length;
}
