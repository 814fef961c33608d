import type { CreatorInfo } from './creator-rules.ts';
import type { PrivacyLevel } from './new-request.ts';

/**
 * What a page must say on which people choose the settings of a post, in TikTok's words
 * (content-sharing-guidelines, read 2026-09-11). TikTok's audit looks for them.
 */
const POSTING_TEXTS = {
  /** The label that a post gets for each setting. With both it is that of `brandContent`. */
  labels: { brandOrganic: 'Promotional content', brandContent: 'Paid partnership' },
  /** What to say when the setting is chosen. With both it is that of `brandContent`. */
  labelNotices: {
    brandOrganic: "Your photo/video will be labeled as 'Promotional content'",
    brandContent: "Your photo/video will be labeled as 'Paid partnership'",
  },
  /** What to say when the content is disclosed as commercial and neither setting is chosen: nothing can be posted then. */
  nothingDisclosed: 'You need to indicate if your content promotes yourself, a third party, or both.',
  /** What to say at the privacy level `SELF_ONLY` while `brandContent` is chosen. */
  brandContentPrivacy: 'Branded content visibility cannot be set to private.',
  /** The sentence before the button that posts: `brandContent` while that is chosen, else `music`. */
  consent: {
    music: "By posting, you agree to TikTok's Music Usage Confirmation.",
    brandContent: "By posting, you agree to TikTok's Branded Content Policy and Music Usage Confirmation.",
  },
  /** Where the names in these sentences lead. */
  links: {
    musicUsageConfirmation: 'https://www.tiktok.com/legal/page/global/music-usage-confirmation/en',
    brandedContentPolicy: 'https://www.tiktok.com/legal/page/global/bc-policy/en',
  },
} as const;

/** "It can only be configured with visibility as public/friends" (content-sharing-guidelines, read 2026-09-11). */
const BRANDED_LEVELS: readonly PrivacyLevel[] = ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS'];

/** What a page needs on which people post: what the creator may post just now, and what TikTok wants said. */
export interface PostingPage extends CreatorInfo {
  /** The levels to offer while `brandContent` is chosen: public and friends, of those that TikTok offers. */
  readonly brandedPrivacyLevelOptions: readonly PrivacyLevel[];
  /** What can be chosen for photos; duets and stitches never can. */
  readonly photos: { readonly commentDisabled: boolean; readonly duetDisabled: true; readonly stitchDisabled: true };
  /** What stands on the page, in TikTok's words. */
  readonly texts: typeof POSTING_TEXTS;
}

/** Adds what TikTok's guidelines want on a posting page to what it said of the creator. */
export function toPostingPage(info: CreatorInfo): PostingPage {
  return {
    ...info,
    brandedPrivacyLevelOptions: info.privacyLevelOptions.filter((level) => BRANDED_LEVELS.includes(level)),
    photos: { commentDisabled: info.commentDisabled, duetDisabled: true, stitchDisabled: true },
    texts: POSTING_TEXTS,
  };
}
