import { exposureOf } from '../../core/exposure.ts';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { type ClaimDeps, claimVideo } from './check-duplicate.ts';
import { examineMedia } from './examine-media.ts';

/**
 * Checks a video before an init is spent on it: what it is, whether it was posted before, and that nobody is still
 * writing it. After the upload has begun, only the second check is repeated.
 * @throws PublishError `INPUT_MEDIA_*`, `INPUT_DUPLICATE_VIDEO`, or an error of the source
 */
export async function prepareVideo(
  job: OwnedJob,
  source: MediaSource,
  deps: ClaimDeps & Needs<'probeMedia'>,
  signal: AbortSignal,
): Promise<void> {
  if (exposureOf(job.record) !== 'none') {
    await claimVideo(job, source, deps, signal);
    return;
  }
  try {
    await examineMedia(job, source, deps, signal);
    await claimVideo(job, source, deps, signal);
    await source.verifyUnchanged();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    const change = isChange(error) ? error : await changeOf(source);
    if (change === undefined) throw error;
    // The findings are void and nothing was sent: the job comes back and publishes what the file contains then.
    throw new PublishError('INPUT_MEDIA_BEING_WRITTEN', { reason: change.message }, { cause: error });
  }
}

async function changeOf(source: MediaSource): Promise<PublishError | undefined> {
  try {
    await source.verifyUnchanged();
    return undefined;
  } catch (error) {
    return isChange(error) ? error : undefined;
  }
}

function isChange(error: unknown): error is PublishError {
  return error instanceof PublishError && error.code === 'INPUT_MEDIA_CHANGED';
}
