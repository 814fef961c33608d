import { exposureOf } from '../../core/exposure.ts';
import { hashMediaUrls } from '../../core/hash-media-urls.ts';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isSamePin } from '../../core/source-pin.ts';
import { fingerprintVideo } from '../../core/video-fingerprint.ts';
import type { OtherJob } from '../../ledger/video-claims.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';

export type ClaimDeps = Needs<'log' | 'metrics' | 'settings' | 'videoClaims'>;

/**
 * Claims the video for this job, before anything that costs a quota. Reads some megabytes, once per job and version of
 * the video, and nothing at all where duplicates are allowed.
 * @throws PublishError `INPUT_DUPLICATE_VIDEO` when another job has the same video and the request says `refuse`
 */
export async function claimVideo(
  job: OwnedJob,
  source: MediaSource,
  deps: ClaimDeps,
  signal: AbortSignal,
): Promise<void> {
  // TikTok may have everything, so it is too late to refuse.
  if (exposureOf(job.record) === 'may_appear' || isSamePin(job.record.claimedVideo?.pin, source.pin)) return;
  await claim(job, deps, async () => ({ digest: await fingerprintVideo(source, signal), pin: source.pin }));
}

/**
 * The same for media that TikTok fetches, which are identified by their URLs.
 * @param digests of the photos that it fetches from us, by their numbers
 * @throws PublishError `INPUT_DUPLICATE_VIDEO`
 */
export async function claimFetchedMedia(
  job: OwnedJob,
  media: Parameters<typeof hashMediaUrls>[0],
  digests: Parameters<typeof hashMediaUrls>[1],
  deps: ClaimDeps,
): Promise<void> {
  if (job.record.claimedVideo !== undefined) return;
  await claim(job, deps, async () => ({ digest: hashMediaUrls(media, digests) }));
}

/** Whether it matters what tells a job's media from others. */
export function looksForDuplicates({ record }: OwnedJob, { settings }: Needs<'settings'>): boolean {
  return record.claimedVideo === undefined && (record.request.onDuplicate ?? settings.onDuplicate) !== 'allow';
}

type ClaimedVideo = NonNullable<OwnedJob['record']['claimedVideo']>;

async function claim(job: OwnedJob, deps: ClaimDeps, name: () => Promise<ClaimedVideo>): Promise<void> {
  const { videoClaims, settings } = deps;
  const onDuplicate = job.record.request.onDuplicate ?? settings.onDuplicate;
  if (onDuplicate === 'allow') return;
  const claimedVideo = await name();
  const leaveToOther = onDuplicate === 'refuse';
  let other: OtherJob | undefined;
  await job.noteWith(async (record) => {
    other = await videoClaims.claim(record, claimedVideo, { leaveToOther });
    return other === undefined ? { claimedVideo } : {};
  });
  if (other === undefined) return;
  deps.metrics.duplicateFound(onDuplicate);
  if (leaveToOther) throw duplicateOf(other);
  deps.log.warn({ publishJobId: job.record.id, otherJobId: other.id, otherState: other.state }, 'duplicate video');
  await job.commit({
    cause: { event: 'duplicate_noted', otherJobId: other.id, otherState: other.state },
    patch: { claimedVideo },
  });
}

function duplicateOf({ id, state }: OtherJob): PublishError {
  return new PublishError('INPUT_DUPLICATE_VIDEO', {
    reason: `publish job ${id} of this account has the same media and is ${state}`,
  });
}
