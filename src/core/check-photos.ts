import type { ErrorCode } from './error-table.ts';
import { photosOf } from './media-route.ts';
import type { PhotoItem, PhotosMedia } from './new-request.ts';
import type { LookAtPhoto, PhotoFacts } from './ports.ts';
import { findingOf, type PreflightFinding } from './preflight-finding.ts';
import { PublishError } from './publish-error.ts';

/** "Maximum 1080p" (content-posting-api-media-transfer-guide, read 2026-09-11); 1080 x 1920 and 1920 x 1080 are known to pass. */
const MAX_SIDES_PIXELS = { short: 1_080, long: 1_920 };

/** How many photos are looked at at once. */
const AT_ONCE = 5;

/**
 * What TikTok's servers would see too. After any other error TikTok decides: it may reach what we do not.
 */
const SAME_FOR_TIKTOK: readonly ErrorCode[] = [
  'INPUT_PHOTO_UNSUPPORTED',
  'INPUT_PHOTO_REDIRECTS',
  'INPUT_MEDIA_EMPTY',
  'INPUT_MEDIA_WEB_PAGE',
  'INPUT_MEDIA_NOT_FOUND',
  'INPUT_MEDIA_URL_EXPIRED',
];

/**
 * Looks at the photos of a post before TikTok downloads them.
 * @returns findings in the order of the photos; nothing for photos that TikTok's documentation allows
 * @throws the signal's reason when aborted
 */
export async function checkPhotos(
  media: PhotosMedia,
  lookAtPhoto: LookAtPhoto,
  signal?: AbortSignal,
): Promise<PreflightFinding[]> {
  const list = media.items === undefined ? 'urls' : 'items';
  const findings: (PreflightFinding | undefined)[] = [];
  const queue = photosOf(media).entries();
  const work = async () => {
    for (const [index, photo] of queue) {
      findings[index] = await checkPhoto(`media.${list}.${index}`, photo, lookAtPhoto, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return findings.filter((finding) => finding !== undefined);
}

async function checkPhoto(
  field: string,
  photo: PhotoItem,
  lookAtPhoto: LookAtPhoto,
  signal: AbortSignal | undefined,
): Promise<PreflightFinding | undefined> {
  try {
    return sizeFinding(field, await lookAtPhoto(photo, { ...(signal !== undefined && { signal }) }));
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PublishError)) throw error;
    const { code, message, row } = error;
    // What TikTok downloads from us is read by us alone.
    const isRefused = photo.type === 'pull' ? SAME_FOR_TIKTOK.includes(code) : row.verdict === 'give_up';
    if (isRefused) return findingOf(code, { severity: 'refuse', field, limit: null, found: message });
    const found = `could not be looked at: ${message}`;
    const advice = 'TikTok downloads the photo from elsewhere and may reach it. Check that the URL is public.';
    return findingOf(code, { severity: 'warn', field, limit: null, found, ...(photo.type === 'pull' && { advice }) });
  }
}

function sizeFinding(field: string, { size }: PhotoFacts): PreflightFinding | undefined {
  if (size === null) return undefined;
  const { width, height } = size;
  const { short, long } = MAX_SIDES_PIXELS;
  if (Math.min(width, height) <= short && Math.max(width, height) <= long) return undefined;
  return findingOf('INPUT_MEDIA_PICTURE_SIZE', {
    severity: 'warn',
    field,
    limit: `at most ${short} x ${long} pixels`,
    found: `${width} x ${height}`,
    advice:
      'TikTok names 1080p for photos, and other developers report that larger ones are rejected. Scale it down, for example `ffmpeg -i in.jpg -vf scale=1080:-2 out.jpg`, or try it.',
  });
}
