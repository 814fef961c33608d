import { isEnded } from './check-job.ts';
import type { JudgedJob, Lane } from './lane.ts';

/** How long a job stood still after something that stopped it. */
interface JobRecovery {
  readonly id: string;
  readonly round: number;
  /** What it was. */
  readonly after: string;
  /** When its worker died, or Redis could serve again. */
  readonly at: number;
  readonly lastedMs: number;
}

/**
 * For each job that a killed worker had: how long until a worker owned it again. For each job that was open when Redis
 * could serve again: how long until it was claimed, a piece of it was sent, or it was over.
 */
export function recoveriesOf(judged: readonly JudgedJob[], lanes: readonly Lane[]): JobRecovery[] {
  const slots = lanes.flatMap((lane) => lane.slots);
  const deaths = slots.flatMap((slot) => slot.deaths);
  const claims = slots.flatMap((slot) => slot.claims);
  const pieces = slots.flatMap((slot) => slot.pieces);
  const outages = lanes.flatMap(({ disturbances }) => disturbances.ends);
  return judged.flatMap((judgedJob) => {
    const { id, round } = judgedJob;
    const span = spanOf(judgedJob);
    if (span === undefined) return [];
    const claimed = claims.filter((claim) => claim.id === id).sort((a, b) => a.at - b.at);
    const sent = pieces.filter((piece) => piece.id === id);
    const recovery = (after: string, at: number, next: number | undefined): JobRecovery[] =>
      next === undefined ? [] : [{ id, round, after, at, lastedMs: next - at }];
    const afterDeaths = deaths
      .filter(({ at, pid }) => at < span.endedAt && claimed.findLast((claim) => claim.at <= at)?.pid === pid)
      .flatMap(({ at }) => recovery('a death', at, claimed.find((claim) => claim.at > at)?.at));
    const afterOutages = outages
      .filter(({ at, round: inRound }) => inRound === round && span.beganAt < at && at < span.endedAt)
      .flatMap(({ at, kind }) => {
        const signs = [...claimed.map((claim) => claim.at), ...sent.map((piece) => piece.at), span.endedAt];
        return recovery(kind, at, Math.min(...signs.filter((sign) => sign > at)));
      });
    return [...afterDeaths, ...afterOutages];
  });
}

/** From acceptance to outcome. */
function spanOf({ evidence: { plan, job, events } }: JudgedJob): { beganAt: number; endedAt: number } | undefined {
  // Whose enqueuer died too early waits for the sweep, whatever Redis does.
  if (plan.enqueuer === 'between' || job === undefined || !isEnded(job)) return undefined;
  const end = events.find(({ type }) => type === `publish.${job.state}`);
  return end === undefined ? undefined : { beganAt: Date.parse(job.createdAt), endedAt: Date.parse(end.time) };
}
