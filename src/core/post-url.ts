import type { PublishRequest } from './publish-request.ts';

/** What the address of a post is made of. */
export interface PostPlace {
  /** The creator's name in the profile's URL; undefined: TikTok did not say. */
  readonly username?: string | undefined;
  readonly postIds: readonly string[];
  readonly request: Pick<PublishRequest, 'media'>;
}

/**
 * The addresses of a job's posts, in the order of their ids; none where the name of their creator is not known.
 * @example postUrlsOf({ username: 'ann', postIds: ['75'], request: { media: { type: 'file', path: '/a.mp4' } } })
 * // ['https://www.tiktok.com/@ann/video/75']
 */
export function postUrlsOf({ username, postIds, request: { media } }: PostPlace): string[] {
  if (username === undefined) return [];
  const kind = media.type === 'photos' ? 'photo' : 'video';
  return postIds.map((id) => `https://www.tiktok.com/@${encodeURIComponent(username)}/${kind}/${id}`);
}
