import { checkPhotos } from '../../core/check-photos.ts';
import { type FetchedMedia, photosOf } from '../../core/media-route.ts';
import type { PhotosMedia } from '../../core/new-request.ts';
import type { MediaSource } from '../../core/ports.ts';
import { findingText, type PreflightFinding, refusalOf } from '../../core/preflight-finding.ts';
import { PublishError } from '../../core/publish-error.ts';
import { fingerprintVideo } from '../../core/video-fingerprint.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { type ClaimDeps, claimFetchedMedia, looksForDuplicates } from './check-duplicate.ts';
import type { FetchSource } from './init-publish.ts';
import { prepareVideo } from './prepare-video.ts';

type PullDeps = ClaimDeps & Needs<'linkToMedia' | 'lookAtPhoto' | 'openMedia' | 'probeMedia'>;

/**
 * Checks media that TikTok fetches as far as we can read them, and makes the links to those that it fetches from us.
 * @throws PublishError `INPUT_MEDIA_*`, `INPUT_PHOTO_UNSUPPORTED`, `INPUT_DUPLICATE_VIDEO`, `CONFIG_PULL_ADDRESS_MISSING`,
 * or an error of the source
 */
export async function preparePull(
  job: OwnedJob,
  media: FetchedMedia,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<FetchSource> {
  if (media.type === 'photos') return await preparePhotos(job, media, deps, signal);
  if (media.type === 'pull') {
    await claimFetchedMedia(job, media, [], deps);
    return { kind: 'pull', url: media.url };
  }
  const linkTo = linkerOf(job, deps);
  const source = await deps.openMedia(media);
  try {
    await prepareVideo(job, source, deps, signal);
    return { kind: 'pull', url: await linkTo(0, source) };
  } finally {
    await source.close();
  }
}

async function preparePhotos(
  job: OwnedJob,
  media: Extract<FetchedMedia, { type: 'photos' }>,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<FetchSource> {
  await examinePhotos(job, media, deps, signal);
  const urls: string[] = [];
  const digests: (string | undefined)[] = [];
  for (const [index, item] of photosOf(media).entries()) {
    if (item.type === 'pull') {
      urls[index] = item.url;
      continue;
    }
    signal.throwIfAborted();
    const linkTo = linkerOf(job, deps);
    const source = await deps.openMedia(item, 'photo');
    try {
      if (looksForDuplicates(job, deps)) digests[index] = await fingerprintVideo(source, signal);
      await source.verifyUnchanged();
      urls[index] = await linkTo(index, source);
    } finally {
      await source.close();
    }
  }
  await claimFetchedMedia(job, media, digests, deps);
  return { kind: 'photos', urls, coverIndex: media.coverIndex ?? 0 };
}

function linkerOf({ record: { id } }: OwnedJob, { linkToMedia }: Needs<'linkToMedia'>) {
  if (linkToMedia === undefined) throw new PublishError('CONFIG_PULL_ADDRESS_MISSING');
  return async (index: number, source: MediaSource) => await linkToMedia(id, index, source);
}

/**
 * Looks at the photos that TikTok is to download, before an init is spent on them.
 * @throws PublishError `INPUT_PHOTO_*` or `INPUT_MEDIA_*` that TikTok would fail the post for
 */
async function examinePhotos(
  job: OwnedJob,
  media: PhotosMedia,
  { lookAtPhoto, settings: { preflight } }: Needs<'lookAtPhoto' | 'settings'>,
  signal: AbortSignal,
): Promise<void> {
  // They were looked at before the init was booked.
  if (preflight === 'off' || job.record.bookedSlot?.endpoint === 'photo_init') return;
  const findings = await checkPhotos(media, lookAtPhoto, signal);
  if (findings.length === 0) return;
  await job.commit({ cause: { event: 'photos_noted', remarks: findings.map(photoText) } });
  const refusal = preflight === 'refuse' ? refusalOf(findings, photoText) : undefined;
  if (refusal !== undefined) throw refusal;
}

function photoText(finding: PreflightFinding): string {
  return `${finding.field}: ${findingText(finding)}`;
}
