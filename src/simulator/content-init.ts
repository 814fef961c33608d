import { z } from 'zod';
import { publishingRoute } from './api-route.ts';
import { EMPTY_OR_INCORRECT } from './chunk-rules.ts';
import { inboxCap } from './creator-caps.ts';
import { directPostRefusal, isForbiddenBrand, POST_INFO_FIELDS, POST_INFO_INCORRECT, textOf } from './post-info.ts';
import type { ParsedSource } from './source-info.ts';
import { startPublish } from './start-publish.ts';

/** content-posting-api-reference-photo-post, read 2026-11-22. */
const MAX_PHOTOS = 35;

const postInfoWire = z.looseObject({
  ...POST_INFO_FIELDS,
  /** "The maximum length is 90 in UTF-16 runes". */
  title: textOf(90).optional(),
  /** "The maximum length is 4000 in UTF-16 runes". */
  description: textOf(4_000).optional(),
  auto_add_music: z.boolean().optional(),
});

const contentWire = z.looseObject({
  media_type: z.literal('PHOTO'),
  post_mode: z.enum(['DIRECT_POST', 'MEDIA_UPLOAD']),
  is_aigc: z.boolean().optional(),
});

const sourceInfoWire = z
  .object({
    source: z.literal('PULL_FROM_URL'),
    photo_images: z.array(z.string().min(1)).min(1).max(MAX_PHOTOS),
    photo_cover_index: z.int().min(0),
  })
  .refine((source) => source.photo_cover_index < source.photo_images.length);

/** Photos: posted at once, or left in the creator's inbox. TikTok always fetches them itself. */
export const contentInit = publishingRoute({
  endpoint: 'content_init',
  path: '/v2/post/publish/content/init/',
  scopes: ['video.publish', 'video.upload'],
  limit: 'initPerMinute',
  act(world, account, body) {
    const content = contentWire.safeParse(body);
    if (!content.success) return { answer: world.answers.refuse('invalid_params') };
    const isDirect = content.data.post_mode === 'DIRECT_POST';
    if (!account.scopes.includes(isDirect ? 'video.publish' : 'video.upload')) {
      return { answer: world.answers.refuse('scope_not_authorized') };
    }
    const postInfo = postInfoWire.safeParse(body.post_info ?? {});
    if (!postInfo.success || (isDirect && isForbiddenBrand(world, postInfo.data))) {
      return { answer: world.answers.refuse('invalid_params', { message: POST_INFO_INCORRECT }) };
    }
    const { privacy_level: privacyLevel } = postInfo.data;
    return startPublish(world, {
      openId: account.openId,
      kind: isDirect ? 'direct' : 'inbox',
      source: parsePhotos(body.source_info),
      postInfo: { ...postInfo.data, is_aigc: content.data.is_aigc },
      permit: () => (isDirect ? directPostRefusal(world, account, privacyLevel) : inboxCap(world, account)),
    });
  },
});

function parsePhotos(sourceInfo: unknown): ParsedSource {
  const wire = sourceInfoWire.safeParse(sourceInfo);
  if (!wire.success) return { refusal: EMPTY_OR_INCORRECT };
  return { source: { source: 'PULL_FROM_URL', media: 'photos', urls: wire.data.photo_images } };
}
