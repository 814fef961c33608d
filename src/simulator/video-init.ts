import { z } from 'zod';
import type { AccountProfile } from './accounts.ts';
import { publishingRoute } from './api-route.ts';
import { inboxCap } from './creator-caps.ts';
import { directPostRefusal, isForbiddenBrand, POST_INFO_FIELDS, POST_INFO_INCORRECT, textOf } from './post-info.ts';
import { parseSource } from './source-info.ts';
import { startPublish } from './start-publish.ts';
import type { World } from './world.ts';

/** "Maximum of 10 minutes", said of the inbox endpoint (content-posting-api-media-transfer-guide, read 2026-09-11). */
const MAX_DRAFT_SECONDS = 600;

/** content-posting-api-reference-direct-post, read 2026-11-22. Unknown fields are let through. */
const postInfoWire = z.looseObject({
  ...POST_INFO_FIELDS,
  title: textOf(2_200).optional(),
  disable_duet: z.boolean().optional(),
  disable_stitch: z.boolean().optional(),
  /** An impossible instant means the first frame, not an error. */
  video_cover_timestamp_ms: z.int().optional(),
  is_aigc: z.boolean().optional(),
});

/** Direct post: the bytes or the URL given after this call go to the creator's profile. */
export const videoInit = publishingRoute({
  endpoint: 'video_init',
  path: '/v2/post/publish/video/init/',
  scopes: ['video.publish'],
  limit: 'initPerMinute',
  act(world, account, body) {
    const postInfo = postInfoWire.safeParse(body.post_info);
    if (!postInfo.success || isForbiddenBrand(world, postInfo.data)) {
      return { answer: world.answers.refuse('invalid_params', { message: POST_INFO_INCORRECT }) };
    }
    return startPublish(world, {
      openId: account.openId,
      kind: 'direct',
      source: parseSource(body.source_info, world.settings.switches.megabyte),
      postInfo: postInfo.data,
      maxSeconds: maxDirectSeconds(world, account),
      permit: () => directPostRefusal(world, account, postInfo.data.privacy_level),
    });
  },
});

/** content-posting-api-reference-upload-video, read 2026-11-22: a draft that the person posts in the app. */
export const inboxInit = publishingRoute({
  endpoint: 'inbox_init',
  path: '/v2/post/publish/inbox/video/init/',
  scopes: ['video.upload'],
  limit: 'initPerMinute',
  act(world, account, body) {
    // A post_info sent here is ignored: the person writes the caption and picks the privacy.
    return startPublish(world, {
      openId: account.openId,
      kind: 'inbox',
      source: parseSource(body.source_info, world.settings.switches.megabyte),
      postInfo: {},
      maxSeconds: MAX_DRAFT_SECONDS,
      permit: () => inboxCap(world, account),
    });
  },
});

function maxDirectSeconds({ settings }: World, { maxVideoPostDurationSec }: AccountProfile): number {
  const isCapped = settings.switches.directDuration === 'ten-minutes';
  return isCapped ? Math.min(maxVideoPostDurationSec, MAX_DRAFT_SECONDS) : maxVideoPostDurationSec;
}
