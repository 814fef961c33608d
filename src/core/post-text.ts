import { photosOf } from './media-route.ts';
import type { NewRequest, PhotoItem } from './new-request.ts';
import { countText } from './quantity-text.ts';

const ELLIPSIS = '…';
const SEPARATOR = ' · ';

/**
 * Which post a request is about, on one line: title, video and privacy, such as `Hello · spring.mp4 · SELF_ONLY`.
 * @param maxChars the title, and then the rest, is cut to fit
 */
export function postText({ post, media }: Pick<NewRequest, 'post' | 'media'>, maxChars: number): string {
  const rest = [oneLine(mediaName(media)), post?.privacyLevel].filter(Boolean).join(SEPARATOR);
  const title = oneLine(post?.title ?? '');
  const room = maxChars - rest.length - SEPARATOR.length;
  return shortened(title === '' ? rest : [shortened(title, Math.max(room, 1)), rest].join(SEPARATOR), maxChars);
}

/** A text of people on one line, without what a terminal would obey: control characters, and turns of direction. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
}

function shortened(text: string, maxChars: number): string {
  const characters = [...text];
  return characters.length <= maxChars ? text : `${characters.slice(0, maxChars - 1).join('')}${ELLIPSIS}`;
}

/** Where the video is, as it was given; photos by their number and the place of the first. */
export function mediaText(media: NewRequest['media'] | PhotoItem): string {
  switch (media.type) {
    case 'file':
      return media.path;
    case 's3':
      return `s3://${media.bucket}/${media.key}`;
    case 'photos':
      return `${mediaName(media)}, the first ${photosOf(media).slice(0, 1).map(mediaText).join('')}`;
    default:
      return media.url;
  }
}

/** The last part of a path, address or key; the number of pictures. */
export function mediaName(media: object): string {
  if ('path' in media && typeof media.path === 'string') return lastPart(media.path);
  if ('key' in media && typeof media.key === 'string') return lastPart(media.key);
  if ('url' in media && typeof media.url === 'string') return nameInUrl(media.url);
  for (const photos of ['urls' in media && media.urls, 'items' in media && media.items]) {
    if (Array.isArray(photos)) return countText(photos.length, 'photo');
  }
  return '';
}

function nameInUrl(text: string): string {
  if (!URL.canParse(text)) return '';
  const { pathname, hostname } = new URL(text);
  return lastPart(pathname) || hostname;
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? '';
}
