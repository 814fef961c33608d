import { z } from 'zod';
import type { AccountProfile } from './accounts.ts';
import type { RefusalCode } from './answers.ts';
import { directPostCap, offeredPrivacyLevels } from './creator-caps.ts';
import type { World } from './world.ts';

export const POST_INFO_INCORRECT = 'The request post info is empty or incorrect';

/** A text of so many UTF-16 units ("UTF-16 runes"): JavaScript's length. Zod's own `max` counts code points. */
export const textOf = (maxLength: number) => z.string().refine((text) => text.length <= maxLength);

/** What `post_info` of videos and of photos has in common (content-posting-api-reference-direct-post, read 2026-11-22). */
export const POST_INFO_FIELDS = {
  privacy_level: z.enum(['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'FOLLOWER_OF_CREATOR', 'SELF_ONLY']).optional(),
  disable_comment: z.boolean().optional(),
  brand_content_toggle: z.boolean().optional(),
  brand_organic_toggle: z.boolean().optional(),
};

/** What the rules about who sees a post look at. */
interface Visibility {
  brand_content_toggle?: boolean | undefined;
  privacy_level?: string | undefined;
}

/** "Branded content visibility cannot be set to private", content-sharing-guidelines, read 2026-11-22. */
export function isForbiddenBrand(world: World, postInfo: Visibility): boolean {
  const isPrivateBrand = postInfo.brand_content_toggle === true && postInfo.privacy_level === 'SELF_ONLY';
  return isPrivateBrand && world.settings.switches.brandedSelfOnly === 'refuse';
}

/** Why this creator may not post directly with this privacy level now, if so. */
export function directPostRefusal(
  world: World,
  account: AccountProfile,
  privacyLevel: string | undefined,
): RefusalCode | undefined {
  // The account itself must be private, even for a SELF_ONLY post.
  if (world.settings.unaudited && !account.private) return 'unaudited_client_can_only_post_to_private_accounts';
  const isOffered = privacyLevel !== undefined && offeredPrivacyLevels(world, account).includes(privacyLevel);
  if (!isOffered) return 'privacy_level_option_mismatch';
  // "All content posted by unaudited clients will be restricted to private viewing mode", content-sharing-guidelines.
  if (world.settings.unaudited && privacyLevel !== 'SELF_ONLY') {
    return 'unaudited_client_can_only_post_to_private_accounts';
  }
  return directPostCap(world, account);
}
