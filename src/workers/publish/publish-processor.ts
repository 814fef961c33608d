import { exposureOf } from '../../core/exposure.ts';
import { isFetchedByTikTok, mediaInUse } from '../../core/media-route.ts';
import { overdueError } from '../../core/not-after.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isTerminal } from '../../core/publish-state.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { Needs, WorkerDeps } from '../deps.ts';
import { type EndDeps, endJob, settlementOf, toResult } from '../end-job.ts';
import { OwnedJob } from '../owned-job.ts';
import { settleTrouble } from '../settle-trouble.ts';
import { inSpan } from '../step-span.ts';
import type { ClaimDeps } from './check-duplicate.ts';
import type { StopSignals } from './chunk-loop.ts';
import { claimPublishEntry, MAX_FRUITLESS_STARTS, type PublishQueueEntry } from './claim-publish-entry.ts';
import { inLane } from './in-lane.ts';
import { initFetch } from './init-publish.ts';
import { preparePull } from './prepare-pull.ts';
import { prepareVideo } from './prepare-video.ts';
import { runOwned } from './run-owned.ts';
import { addStatusEntry } from './status-entry.ts';
import { type UploadDeps, uploadVideo } from './upload-video.ts';

type HandOverDeps = ClaimDeps &
  UploadDeps &
  Needs<'linkToMedia' | 'lookAtPhoto' | 'openMedia' | 'probeMedia' | 'requestSecrets'>;

/** Runs one entry of `tiktok-publish` as far as it gets: until TikTok has everything, or a reason to stop. */
export async function processPublishEntry(
  entry: PublishQueueEntry,
  deps: WorkerDeps,
  stop: StopSignals,
): Promise<Settlement> {
  const job = await claimPublishEntry(entry, deps);
  if (!(job instanceof OwnedJob)) return job;
  const settle = (thrown: unknown) => settleTrouble(job, thrown, 'publish', deps);
  return await inLane(job, deps, () => runOwned(stop, () => publish(job, deps, stop), settle));
}

async function publish(
  job: OwnedJob,
  deps: EndDeps & HandOverDeps & Needs<'ledger' | 'pollTimes'>,
  stop: StopSignals,
): Promise<Settlement> {
  const { record } = job;
  if (isTerminal(record.state)) return settlementOf(record);
  if (record.state !== 'processing') {
    const { scheduledAt } = record;
    if (scheduledAt !== undefined && scheduledAt > deps.clock.now()) return { kind: 'later', at: scheduledAt };
    const overdue = overdueError(record, deps.clock.now());
    if (overdue !== undefined) throw overdue;
    if (job.around.stalls >= MAX_FRUITLESS_STARTS) throw new PublishError('INTERNAL_WORKERS_LOST');
    // A person cancelled during a pull that then published nothing.
    if (record.cancelRequestedAt !== undefined && exposureOf(record) === 'none')
      return await endJob(job, { to: 'cancelled' }, deps);
    if (record.state === 'scheduled') await job.commit({ to: 'queued', cause: { event: 'due' } });
    await handOver(job, deps, stop);
  }
  await addStatusEntry(job, deps);
  return { kind: 'done', result: toResult(job.record) };
}

async function handOver(job: OwnedJob, deps: HandOverDeps, stop: StopSignals): Promise<void> {
  const { record } = job;
  // Before anything that can fail, such as by a missing key: such an error must not end the job as `failed`.
  if (exposureOf(record) === 'init_in_doubt') throw new PublishError('TIKTOK_LOST_INIT');
  const media = mediaInUse({ ...record, request: await deps.requestSecrets.open(record.request, record.id) });
  if (isFetchedByTikTok(media)) {
    const source = await preparePull(job, media, deps, stop.signal);
    await inSpan('begin pull', record, deps, () => initFetch(job, source, deps));
    return;
  }
  const source = await deps.openMedia(media);
  try {
    await prepareVideo(job, source, deps, stop.signal);
    await uploadVideo(job, source, deps, stop);
  } finally {
    await source.close();
  }
}
