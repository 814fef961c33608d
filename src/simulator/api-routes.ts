import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { contentInit } from './content-init.ts';
import { directPostCap, offeredPrivacyLevels } from './creator-caps.ts';
import { oauthAuthorize, oauthRevoke, oauthToken } from './oauth.ts';
import { withOwnPublish } from './own-publish.ts';
import { isSettled, type PublishState, publishStateAt, transferredAtOf } from './publish-status.ts';
import type { Publish } from './publishes.ts';
import { inboxInit, videoInit } from './video-init.ts';
import type { World } from './world.ts';

/** developers.tiktok.com/doc/content-posting-api-reference-query-creator-info, read 2026-11-22. */
const creatorInfo: ApiRoute = {
  endpoint: 'creator_info',
  method: 'POST',
  path: '/v2/post/publish/creator_info/query/',
  identify: identifyCall,
  act(world, request) {
    const callsPerMinute = world.settings.limits.creatorInfoPerMinute;
    const admission = admit(world, request, { endpoint: 'creator_info', scopes: ['video.publish'], callsPerMinute });
    if ('refusal' in admission) return { answer: admission.refusal };
    const { account } = admission;
    const cap = directPostCap(world, account);
    // The page lists these codes here with "200 (intentional)".
    if (cap !== undefined) return { answer: world.answers.refuse(cap, { httpStatus: 200 }), openId: account.openId };
    const answer = world.answers.ok({
      creator_avatar_url: `https://p16-sign.tiktokcdn-us.com/avatar/${encodeURIComponent(account.username)}.webp`,
      creator_username: account.username,
      creator_nickname: account.nickname,
      privacy_level_options: offeredPrivacyLevels(world, account),
      comment_disabled: account.commentDisabled,
      duet_disabled: account.duetDisabled,
      stitch_disabled: account.stitchDisabled,
      max_video_post_duration_sec: account.maxVideoPostDurationSec,
    });
    return { answer, openId: account.openId };
  },
};

/** content-posting-api-media-transfer-guide, "Cancel ongoing pull from URL tasks", read 2026-11-22. */
const cancelPublish: ApiRoute = {
  endpoint: 'cancel',
  method: 'POST',
  path: '/v2/post/publish/cancel/',
  identify: identifyCall,
  act(world, request) {
    return withOwnPublish(world, request, { endpoint: 'cancel', callsPerMinute: undefined }, (publish) => {
      if (!isCancellable(world, publish)) return world.answers.refuse('publish_not_cancellable');
      publish.ended = { at: world.now(), reason: 'publish_cancelled' };
      return world.answers.ok();
    });
  },
};

/** Only while bytes are on their way: once processing has begun it is too late. */
function isCancellable(world: World, publish: Publish): boolean {
  const now = world.now();
  const isAllowed = publish.pull !== undefined || world.settings.switches.cancelFileUpload === 'accept';
  const transferredAt = transferredAtOf(publish, world.settings);
  const isMoving = transferredAt === undefined || transferredAt > now;
  return isAllowed && isMoving && !isSettled(publishStateAt(publish, now, world.settings));
}

/** content-posting-api-reference-get-video-status, read 2026-11-22. */
const statusFetch: ApiRoute = {
  endpoint: 'status',
  method: 'POST',
  path: '/v2/post/publish/status/fetch/',
  identify: identifyCall,
  act(world, request) {
    const demand = { endpoint: 'status', callsPerMinute: world.settings.limits.statusPerMinute } as const;
    return withOwnPublish(world, request, demand, (publish) => {
      const state = publishStateAt(publish, world.now(), world.settings);
      const showsAll = world.settings.switches.statusFields === 'all';
      return world.answers.ok(showsAll ? allFields(publish, state) : presentFields(publish, state));
    });
  },
};

/** As in the documentation's example: nothing is left out. The misspelling is TikTok's. */
function allFields(publish: Publish, state: PublishState): Record<string, unknown> {
  return {
    status: state.status,
    fail_reason: state.failReason ?? '',
    publicaly_available_post_id: state.shownPostIds.map(BigInt),
    uploaded_bytes: publish.upload?.acceptedBytes ?? 0,
    downloaded_bytes: state.downloadedBytes,
  };
}

/** As in answers integrators recorded: empty fields, and byte counts of finished publishes, are left out. */
function presentFields(publish: Publish, state: PublishState): Record<string, unknown> {
  const isMoving = state.status === 'PROCESSING_UPLOAD' || state.status === 'PROCESSING_DOWNLOAD';
  const uploadedBytes = publish.upload?.acceptedBytes ?? 0;
  return {
    status: state.status,
    ...(state.failReason === undefined ? {} : { fail_reason: state.failReason }),
    ...(state.shownPostIds.length === 0 ? {} : { publicaly_available_post_id: state.shownPostIds.map(BigInt) }),
    ...(isMoving && uploadedBytes > 0 ? { uploaded_bytes: uploadedBytes } : {}),
    ...(isMoving && state.downloadedBytes > 0 ? { downloaded_bytes: state.downloadedBytes } : {}),
  };
}

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
