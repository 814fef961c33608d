import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { directPostCap, offeredPrivacyLevels } from './creator-caps.ts';

/** developers.tiktok.com/doc/content-posting-api-reference-query-creator-info, read 2026-11-22. */
export const creatorInfo: ApiRoute = {
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
