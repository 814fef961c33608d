import type { ApiRoute } from './api-route.ts';
import { contentInit } from './content-init.ts';
import { creatorInfo } from './creator-info.ts';
import { oauthAuthorize, oauthRevoke, oauthToken } from './oauth.ts';
import { cancelPublish, statusFetch } from './own-publish.ts';
import { inboxInit, videoInit } from './video-init.ts';

/** Every endpoint but the upload, which streams and is served by serve-upload.ts. */
export const API_ROUTES: readonly ApiRoute[] = [
  creatorInfo,
  videoInit,
  inboxInit,
  contentInit,
  statusFetch,
  cancelPublish,
  oauthToken,
  oauthRevoke,
  oauthAuthorize,
];
