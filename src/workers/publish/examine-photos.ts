import { checkPhotos } from '../../core/check-photos.ts';
import { isErrorCode } from '../../core/error-table.ts';
import type { PhotosMedia } from '../../core/new-request.ts';
import { findingText } from '../../core/preflight-finding.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';

/**
 * Looks at the photos that TikTok is to download, before an init is spent on them.
 * @throws PublishError `INPUT_PHOTO_*` or `INPUT_MEDIA_*` that TikTok would fail the post for
 */
export async function examinePhotos(
  job: OwnedJob,
  media: PhotosMedia,
  { lookAtPhoto, settings: { preflight } }: Needs<'lookAtPhoto' | 'settings'>,
  signal: AbortSignal,
): Promise<void> {
  // They were looked at before the init was booked.
  if (preflight === 'off' || job.record.bookedSlot?.endpoint === 'photo_init') return;
  const findings = await checkPhotos(media, lookAtPhoto, signal);
  if (findings.length === 0) return;
  await job.commit({ cause: { event: 'photos_noted', remarks: findings.map(findingText) } });
  const refusals = findings.filter(({ severity }) => severity === 'refuse');
  const code = refusals[0]?.code;
  if (preflight !== 'refuse' || code === undefined || !isErrorCode(code)) return;
  throw new PublishError(code, { reason: refusals.map(findingText).join('; ') });
}
