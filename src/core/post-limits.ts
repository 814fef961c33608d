/** Who may see the post (content-posting-api-reference-direct-post). */
export const PRIVACY_LEVELS = [
  'PUBLIC_TO_EVERYONE',
  'MUTUAL_FOLLOW_FRIENDS',
  'FOLLOWER_OF_CREATOR',
  'SELF_ONLY',
] as const;

/** Whether TikTok's name of a level is one that a request may ask for. */
export function isPrivacyLevel(name: string): name is (typeof PRIVACY_LEVELS)[number] {
  return PRIVACY_LEVELS.some((level) => level === name);
}

/** Most photos of one post (content-posting-api-reference-photo-post, read 2026-11-22). */
export const MAX_PHOTOS = 35;
/** Largest photo (content-posting-api-media-transfer-guide, "Maximum of 20MB for each image", read 2026-09-11). */
export const MAX_PHOTO_BYTES = 20_000_000;
/** Longest caption of a video, in UTF-16 units, that is JavaScript's `length` (content-posting-api-reference-direct-post). */
export const MAX_TITLE_LENGTH = 2_200;
/** Longest title of a photo post, in UTF-16 units (content-posting-api-reference-photo-post). */
export const MAX_PHOTO_TITLE_LENGTH = 90;
/** Longest description of a photo post, in UTF-16 units (content-posting-api-reference-photo-post). */
export const MAX_DESCRIPTION_LENGTH = 4_000;
/** The least urgent priority: BullMQ's own bound, 2^21 - 1. */
export const MAX_PRIORITY = 2_097_151;
/** Most jobs of one page of a list. */
export const MAX_LISTED_JOBS = 500;
/** Jobs of a page when no number is asked for. */
export const DEFAULT_LISTED_JOBS = 50;
