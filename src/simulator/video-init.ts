import { z } from 'zod';
import type { AccountProfile } from './accounts.ts';
import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { directPostCap, offeredPrivacyLevels } from './creator-caps.ts';
import { startPublish } from './start-publish.ts';
import type { World } from './world.ts';

const POST_INFO_INCORRECT = 'The request post info is empty or incorrect';

/** content-posting-api-reference-direct-post, read 2026-11-22. Unknown fields are let through. */
const postInfoWire = z.looseObject({
  privacy_level: z.enum(['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'FOLLOWER_OF_CREATOR', 'SELF_ONLY']).optional(),
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
      sourceInfo: body.source_info,
      postInfo: postInfo.data,
      permit: () => privacyRefusal(world, account, postInfo.data.privacy_level) ?? directPostCap(world, account),
    });
  },
};

/** "Branded content visibility cannot be set to private", content-sharing-guidelines, read 2026-11-22. */
function isForbiddenBrand(world: World, postInfo: z.output<typeof postInfoWire>): boolean {
  const isPrivateBrand = postInfo.brand_content_toggle === true && postInfo.privacy_level === 'SELF_ONLY';
  return isPrivateBrand && world.settings.switches.brandedSelfOnly === 'refuse';
}

function privacyRefusal(world: World, account: AccountProfile, privacyLevel: string | undefined) {
  // The account itself must be private, even for a SELF_ONLY post.
  if (world.settings.unaudited && !account.private) return 'unaudited_client_can_only_post_to_private_accounts';
  const isOffered = privacyLevel !== undefined && offeredPrivacyLevels(world, account).includes(privacyLevel);
  return isOffered ? undefined : 'privacy_level_option_mismatch';
}
