import type { ApiRoute } from './api-route.ts';
import { cancelPublish } from './cancel-publish.ts';
import { contentInit } from './content-init.ts';
import { creatorInfo } from './creator-info.ts';
import { inboxInit } from './inbox-init.ts';
import { oauthAuthorize, oauthRevoke, oauthToken } from './oauth.ts';
import { statusFetch } from './status-fetch.ts';
import { videoInit } from './video-init.ts';

/** Every endpoint but the upload, which streams and is served by upload.ts. */
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
