import type { Media, PhotoItem, PhotosMedia } from './new-request.ts';

/** Where our web server gives media to TikTok, below `PUBLIC_BASE_URL`. */
export const PULL_PATH = '/pull';
/** What `doctor` asks for there, to see that the address leads to us. */
export const PULL_CHECK = { name: 'check.txt', text: 'tiktok-publisher gives media to TikTok here' } as const;

/** Media that we read ourselves: to upload them, or to give them to TikTok when it downloads them from us. */
export type ReadMedia = Extract<Media | PhotoItem, { type: 'file' | 'url' | 's3' }>;

/** A video that TikTok downloads from our web server. */
type ServedVideo = Extract<Media, { type: 'file' | 'url' | 's3' }> & { readonly via: 'pull' };

/** Media that TikTok fetches by itself: the init alone starts the post. */
export type FetchedMedia = Extract<Media, { type: 'pull' | 'photos' }> | ServedVideo;

/** Whether TikTok fetches the media, so that its init must never be repeated on doubt. */
export function isFetchedByTikTok(media: Media): media is FetchedMedia {
  return media.type === 'photos' || isPulledVideo(media);
}

/** Whether TikTok downloads a video, from wherever it is. */
export function isPulledVideo(media: Media): media is Exclude<FetchedMedia, { type: 'photos' }> {
  return media.type === 'pull' || ('via' in media && media.via === 'pull');
}

/** The photos of a post in their order, however they were given. */
export function photosOf({ items, urls = [] }: PhotosMedia): readonly PhotoItem[] {
  return items ?? urls.map((url) => ({ type: 'pull', url }));
}

/** What TikTok downloads from our web server, by the number in its link; undefined: from elsewhere. */
export function servedItemsOf(media: Media): readonly (ReadMedia | undefined)[] {
  if (media.type === 'photos') return photosOf(media).map((item) => (item.type === 'pull' ? undefined : item));
  return media.type === 'pull' || media.via === undefined ? [] : [media];
}

/** The paths of files that a request names. */
export function filesOf(media: Media): string[] {
  const items = media.type === 'photos' ? photosOf(media) : [media];
  return items.flatMap((item) => (item.type === 'file' ? [item.path] : []));
}

/** The media by which a job goes on: a pull that was given up is a video that we upload. */
export function mediaInUse({
  request,
  fellBackAt,
}: {
  request: { readonly media: Media };
  fellBackAt?: number | undefined;
}): Media {
  const { media } = request;
  if (fellBackAt === undefined || media.type === 'photos') return media;
  if (media.type === 'pull') return { type: 'url', url: media.url };
  const { via: _via, fallback: _fallback, ...uploaded } = media;
  return uploaded;
}
