/** The endpoints a fault can be aimed at and the journal speaks of. */
export const ENDPOINTS = [
  'creator_info',
  'video_init',
  'inbox_init',
  'content_init',
  'upload',
  'status',
  'cancel',
  'token',
  'revoke',
  'authorize',
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];
