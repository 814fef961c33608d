import type { PublishRequest } from './publish-request.ts';

type Media = PublishRequest['media'];

/** Media whose bytes we send to TikTok ourselves. */
export type UploadedMedia = Extract<Media, { type: 'file' | 'url' | 's3' }>;

/** Media that TikTok fetches by itself: the init alone starts the post. */
export type FetchedMedia = Exclude<Media, UploadedMedia>;

/** Whether TikTok fetches the media, so that its init must never be repeated on doubt. */
export function isFetchedByTikTok(media: Media): media is FetchedMedia {
  return media.type === 'pull' || media.type === 'photos';
}

/** The media by which a job goes on: a pull that was given up is a URL that we fetch ourselves. */
export function mediaInUse({
  request,
  fellBackAt,
}: {
  request: Pick<PublishRequest, 'media'>;
  fellBackAt?: number | undefined;
}): Media {
  const { media } = request;
  return media.type === 'pull' && fellBackAt !== undefined ? { type: 'url', url: media.url } : media;
}
