import { z } from 'zod';
import { MAX_DESCRIPTION_LENGTH, MAX_PHOTO_TITLE_LENGTH, MAX_TITLE_LENGTH, PRIVACY_LEVELS } from './post-limits.ts';

export const postSchema = z
  .strictObject({
    title: textOf(MAX_TITLE_LENGTH)
      .optional()
      .meta({
        description: `Caption, with its hashtags and mentions; at most ${MAX_TITLE_LENGTH} UTF-16 units, for photos ${MAX_PHOTO_TITLE_LENGTH}.`,
        examples: ['Hello from our kitchen #cooking'],
      }),
    description: textOf(MAX_DESCRIPTION_LENGTH)
      .optional()
      .meta({ description: `Photos only: the long description; at most ${MAX_DESCRIPTION_LENGTH} UTF-16 units.` }),
    privacyLevel: z
      .enum(PRIVACY_LEVELS, { error: `expected one of ${PRIVACY_LEVELS.join(', ')}` })
      .optional()
      .meta({
        description:
          'Who may see the post. Required for `direct`; there is no default because the creator must choose. `GET /v1/accounts/{account}/creator` returns the levels that an account can use.',
      }),
    disableDuet: z.boolean().optional().meta({ description: 'Disable duets.' }),
    disableStitch: z.boolean().optional().meta({ description: 'Disable stitches.' }),
    disableComment: z.boolean().optional().meta({ description: 'Disable comments.' }),
    coverTimestampMs: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'The frame that becomes the cover, in milliseconds from the start of the video.' }),
    brandContent: z.boolean().optional().meta({
      description: 'Declares a paid partnership that promotes a third party. Such a post cannot be `SELF_ONLY`.',
    }),
    brandOrganic: z.boolean().optional().meta({ description: "Declares a promotion of the creator's own business." }),
    autoAddMusic: z.boolean().optional().meta({ description: 'Photos only: TikTok adds music.' }),
    aiGenerated: z.boolean().optional().meta({ description: 'Declares AI-generated content. TikTok labels the post.' }),
  })
  .meta({
    description: 'Settings of the post. The creator finishes drafts (`inbox`) in the TikTok app.',
  });

/** A text whose length counts as TikTok counts it; Zod's own `max` counts code points. */
function textOf(maxLength: number) {
  return z.string().superRefine((text, context) => {
    if (text.length <= maxLength) return;
    context.addIssue({ code: 'custom', message: `expected at most ${maxLength} UTF-16 units, got ${text.length}` });
  });
}
