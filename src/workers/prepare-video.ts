import type { MediaSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { claimVideo } from './check-duplicate.ts';
import type { WorkerDeps } from './deps.ts';
import { examineMedia } from './examine-media.ts';
import type { OwnedJob } from './owned-job.ts';

/**
 * All that is to be known of a video before an init is spent on it: what it is, whether it was posted before, and that
 * nobody is still writing it. Once its upload has begun only the second question may come up again.
 * @throws PublishError `INPUT_MEDIA_*`, `INPUT_DUPLICATE_VIDEO`, or an error of the source
 */
export async function prepareVideo(
  job: OwnedJob,
  source: MediaSource,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<void> {
  if (job.record.publishId !== undefined) {
    await claimVideo(job, source, deps, signal);
    return;
  }
  try {
    await examineMedia(job, source, deps, signal);
    await claimVideo(job, source, deps, signal);
  } catch (error) {
    // What was found in a video that changed meanwhile says nothing about it.
    if (error instanceof PublishError) await refuseUnfinished(async () => await lookAgain(source, error));
    throw error;
  }
  await refuseUnfinished(async () => await source.verifyUnchanged());
}

async function lookAgain(source: MediaSource, error: PublishError): Promise<void> {
  if (error.code === 'INPUT_MEDIA_CHANGED') throw error;
  await source.verifyUnchanged();
}

/** Nothing was sent: what the source holds when the job comes back is what is published. */
async function refuseUnfinished(look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof PublishError) || error.code !== 'INPUT_MEDIA_CHANGED') throw error;
    throw new PublishError('INPUT_MEDIA_BEING_WRITTEN', { reason: error.message }, { cause: error });
  }
}
