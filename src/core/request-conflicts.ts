import type { z } from 'zod';
import { isPulledVideo, photosOf } from './media-route.ts';
import type { Media, PostSettings, PublishMode } from './new-request.ts';
import { MAX_PHOTO_TITLE_LENGTH, PRIVACY_LEVELS } from './post-limits.ts';

/** What cannot be said of photos, and what of videos (content-posting-api-reference-photo-post). */
const VIDEO_ONLY = ['disableDuet', 'disableStitch', 'coverTimestampMs'] as const;
const PHOTOS_ONLY = ['description', 'autoAddMusic'] as const;

interface RequestConflict {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface ParsedRequest {
  readonly mode: PublishMode;
  readonly media: Media;
  readonly post?: PostSettings | undefined;
  readonly scheduledAt?: string | undefined;
  readonly notAfter?: string | undefined;
}

/** Refuses a request whose fields are right one by one but not together. */
export function refuseConflicts(request: ParsedRequest, context: z.RefinementCtx): void {
  for (const { path, message } of conflictsIn(request)) context.addIssue({ code: 'custom', path: [...path], message });
}

/** What is wrong with a request whose fields are right one by one. */
function conflictsIn(request: ParsedRequest): RequestConflict[] {
  return [
    ...timeConflicts(request),
    ...privacyConflicts(request),
    ...(request.media.type === 'photos' ? photoConflicts(request) : videoConflicts(request)),
  ];
}

function timeConflicts({ scheduledAt, notAfter }: ParsedRequest): RequestConflict[] {
  if (scheduledAt === undefined || notAfter === undefined || Date.parse(notAfter) > Date.parse(scheduledAt)) return [];
  return [{ path: ['notAfter'], message: `expected a time after scheduledAt, which is ${scheduledAt}` }];
}

function privacyConflicts({ mode, post = {} }: ParsedRequest): RequestConflict[] {
  const path = ['post', 'privacyLevel'];
  if (mode === 'direct' && post.privacyLevel === undefined) {
    return [{ path, message: `required for mode "direct": choose one of ${PRIVACY_LEVELS.join(', ')}` }];
  }
  if (post.brandContent === true && post.privacyLevel === 'SELF_ONLY') {
    return [
      { path, message: 'branded content cannot be SELF_ONLY: choose another privacy level or remove brandContent' },
    ];
  }
  return [];
}

function photoConflicts({ media, post = {} }: ParsedRequest): RequestConflict[] {
  if (media.type !== 'photos') return [];
  const conflicts: RequestConflict[] = VIDEO_ONLY.filter((field) => post[field] !== undefined).map((field) => ({
    path: ['post', field],
    message: 'not available for photos: remove it',
  }));
  const { title = '' } = post;
  if (title.length > MAX_PHOTO_TITLE_LENGTH) {
    const message = `expected at most ${MAX_PHOTO_TITLE_LENGTH} UTF-16 units for photos, got ${title.length}: move the rest to post.description`;
    conflicts.push({ path: ['post', 'title'], message });
  }
  if ((media.urls === undefined) === (media.items === undefined)) {
    const message = `expected the photos as either urls or items, got ${media.urls === undefined ? 'neither' : 'both'}`;
    return [...conflicts, { path: ['media'], message }];
  }
  const count = photosOf(media).length;
  if (count > 0 && (media.coverIndex ?? 0) >= count) {
    const message = `expected a number below ${count}, the number of photos (the first photo is 0), got ${media.coverIndex}`;
    conflicts.push({ path: ['media', 'coverIndex'], message });
  }
  return conflicts;
}

function videoConflicts({ media, post = {} }: ParsedRequest): RequestConflict[] {
  const conflicts: RequestConflict[] = PHOTOS_ONLY.filter((field) => post[field] !== undefined).map((field) => ({
    path: ['post', field],
    message: 'only available for photo posts: remove it, or move the text to post.title',
  }));
  if ('fallback' in media && media.fallback !== undefined && !isPulledVideo(media)) {
    const message = 'only available with "via": "pull": add that, or remove it; without it the video is uploaded';
    conflicts.push({ path: ['media', 'fallback'], message });
  }
  return conflicts;
}
