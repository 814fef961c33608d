import { z } from 'zod';
import { PRIVACY_LEVELS } from '../../core/post-limits.ts';
import type { PostingPage } from '../../core/posting-page.ts';

const privacyLevels = z.array(z.enum(PRIVACY_LEVELS));
const byBrand = z.object({
  brandOrganic: z.string().describe('For content that promotes the creator or their own business.'),
  brandContent: z.string().describe('For content that promotes a third party, and for both.'),
});

/** What stands on a posting page, in TikTok's words. */
const textsSchema = z
  .object({
    labels: byBrand.describe('The label of the post for each setting; with both settings, that of `brandContent`.'),
    labelNotices: byBrand.describe('What to say when the setting is chosen.'),
    nothingDisclosed: z.string().describe('What to say when commercial content is disclosed without a setting.'),
    brandContentPrivacy: z.string().describe('What to say at `SELF_ONLY` while `brandContent` is chosen.'),
    consent: z
      .object({
        music: z.string().describe('While `brandContent` is not chosen.'),
        brandContent: z.string().describe('While `brandContent` is chosen.'),
      })
      .describe('The sentence of consent before the button that posts.'),
    links: z
      .object({
        musicUsageConfirmation: z.string().describe('URL of the Music Usage Confirmation.'),
        brandedContentPolicy: z.string().describe('URL of the Branded Content Policy.'),
      })
      .describe('Where the names in these sentences lead.'),
  })
  .describe("What the page must say, in TikTok's words.");

/** The answer of `GET /v1/accounts/{account}/creator`. */
export const creatorSchema = z
  .object({
    username: z.string().nullable().describe('User name in the profile URL.'),
    nickname: z
      .string()
      .nullable()
      .describe('Display name. TikTok requires that the user sees the account to which they post.'),
    avatarUrl: z.string().nullable().describe('URL of the profile picture, valid for two hours.'),
    privacyLevelOptions: privacyLevels.describe('The privacy levels to offer. Offer no others.'),
    commentDisabled: z.boolean().describe('The creator has disabled comments.'),
    duetDisabled: z.boolean().describe('The creator has disabled duets.'),
    stitchDisabled: z.boolean().describe('The creator has disabled stitches.'),
    maxVideoDurationSeconds: z
      .int()
      .nonnegative()
      .nullable()
      .describe('Longest video that the creator can post directly.'),
    brandedPrivacyLevelOptions: privacyLevels.describe('The privacy levels to offer while `brandContent` is chosen.'),
    photos: z
      .object({
        commentDisabled: z.boolean().describe('The creator has disabled comments.'),
        duetDisabled: z.literal(true).describe('Photos have no duets.'),
        stitchDisabled: z.literal(true).describe('Photos have no stitches.'),
      })
      .describe('What cannot be chosen for photos.'),
    texts: textsSchema,
  })
  .meta({ id: 'Creator', description: 'The current posting options of a creator. null: not reported by TikTok.' });

/** With null for what TikTok did not say, so that every field is always there. */
export function toCreator(page: PostingPage) {
  return {
    ...page,
    brandedPrivacyLevelOptions: [...page.brandedPrivacyLevelOptions],
    username: page.username ?? null,
    nickname: page.nickname ?? null,
    avatarUrl: page.avatarUrl ?? null,
    maxVideoDurationSeconds: page.maxVideoDurationSeconds ?? null,
  };
}
