import { z } from 'zod';
import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { directPostCap, inboxCap } from './creator-caps.ts';
import { isForbiddenBrand, POST_INFO_INCORRECT, PRIVACY_LEVELS, privacyRefusal } from './post-info.ts';
import { parseSource } from './source-info.ts';
import { startPublish } from './start-publish.ts';

/** content-posting-api-reference-direct-post, read 2026-11-22. Unknown fields are let through. */
const postInfoWire = z.looseObject({
  privacy_level: z.enum(PRIVACY_LEVELS).optional(),
  /** "The maximum length is 2200 in UTF-16 runes": JavaScript's length. Zod's own `max` counts code points. */
  title: z
    .string()
    .refine((title) => title.length <= 2_200)
    .optional(),
  disable_duet: z.boolean().optional(),
  disable_stitch: z.boolean().optional(),
  disable_comment: z.boolean().optional(),
  /** An impossible instant means the first frame, not an error. */
  video_cover_timestamp_ms: z.int().optional(),
  brand_content_toggle: z.boolean().optional(),
  brand_organic_toggle: z.boolean().optional(),
  is_aigc: z.boolean().optional(),
});

/** Direct post: the bytes or the URL given after this call go to the creator's profile. */
export const videoInit: ApiRoute = {
  endpoint: 'video_init',
  method: 'POST',
  path: '/v2/post/publish/video/init/',
  identify: identifyCall,
  act(world, request) {
    const callsPerMinute = world.settings.limits.initPerMinute;
    const admission = admit(world, request, { endpoint: 'video_init', scopes: ['video.publish'], callsPerMinute });
    if ('refusal' in admission) return { answer: admission.refusal };
    const { account, body } = admission;
    const postInfo = postInfoWire.safeParse(body.post_info);
    if (!postInfo.success || isForbiddenBrand(world, postInfo.data)) {
      return {
        answer: world.answers.refuse('invalid_params', { message: POST_INFO_INCORRECT }),
        openId: account.openId,
      };
    }
    return startPublish(world, {
      account,
      kind: 'direct',
      source: parseSource(body.source_info, world.settings.switches.megabyte),
      postInfo: postInfo.data,
      permit: () => privacyRefusal(world, account, postInfo.data.privacy_level) ?? directPostCap(world, account),
    });
  },
};

/** content-posting-api-reference-upload-video, read 2026-11-22: a draft that the person posts in the app. */
export const inboxInit: ApiRoute = {
  endpoint: 'inbox_init',
  method: 'POST',
  path: '/v2/post/publish/inbox/video/init/',
  identify: identifyCall,
  act(world, request) {
    const callsPerMinute = world.settings.limits.initPerMinute;
    const admission = admit(world, request, { endpoint: 'inbox_init', scopes: ['video.upload'], callsPerMinute });
    if ('refusal' in admission) return { answer: admission.refusal };
    const { account, body } = admission;
    // A post_info sent here is ignored: the person writes the caption and picks the privacy.
    return startPublish(world, {
      account,
      kind: 'inbox',
      source: parseSource(body.source_info, world.settings.switches.megabyte),
      postInfo: {},
      permit: () => inboxCap(world, account),
    });
  },
};
