import type { AccountProfile } from './accounts.ts';
import type { RefusalCode } from './answers.ts';
import { offeredPrivacyLevels } from './creator-caps.ts';
import type { World } from './world.ts';

export const POST_INFO_INCORRECT = 'The request post info is empty or incorrect';

/** content-posting-api-reference-direct-post, read 2026-11-22. */
export const PRIVACY_LEVELS = [
  'PUBLIC_TO_EVERYONE',
  'MUTUAL_FOLLOW_FRIENDS',
  'FOLLOWER_OF_CREATOR',
  'SELF_ONLY',
] as const;

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

/** Why this creator may not post with this privacy level, if so. */
export function privacyRefusal(
  world: World,
  account: AccountProfile,
  privacyLevel: string | undefined,
): RefusalCode | undefined {
  // The account itself must be private, even for a SELF_ONLY post.
  if (world.settings.unaudited && !account.private) return 'unaudited_client_can_only_post_to_private_accounts';
  const isOffered = privacyLevel !== undefined && offeredPrivacyLevels(world, account).includes(privacyLevel);
  return isOffered ? undefined : 'privacy_level_option_mismatch';
}
