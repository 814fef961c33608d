import { publishingRoute } from './api-route.ts';
import { directPostCap, offeredPrivacyLevels } from './creator-caps.ts';

/** developers.tiktok.com/doc/content-posting-api-reference-query-creator-info, read 2026-11-22. */
export const creatorInfo = publishingRoute({
  endpoint: 'creator_info',
  path: '/v2/post/publish/creator_info/query/',
  scopes: ['video.publish'],
  limit: 'creatorInfoPerMinute',
  act(world, account) {
    const cap = directPostCap(world, account);
    // The page lists these codes here with "200 (intentional)".
    if (cap !== undefined) return { answer: world.answers.refuse(cap, { httpStatus: 200 }) };
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
    return { answer };
  },
});
