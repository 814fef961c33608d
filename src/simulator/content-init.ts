import { z } from 'zod';
import type { RefusalCode } from './answers.ts';
import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { directPostCap, inboxCap } from './creator-caps.ts';
import { isForbiddenBrand, POST_INFO_INCORRECT, PRIVACY_LEVELS, privacyRefusal } from './post-info.ts';
import { EMPTY_OR_INCORRECT, type ParsedSource } from './source-info.ts';
import { startPublish } from './start-publish.ts';
import type { World } from './world.ts';

/** content-posting-api-reference-photo-post, read 2026-11-22. */
const MAX_PHOTOS = 35;

const textOf = (maxLength: number) => z.string().refine((text) => text.length <= maxLength);

const postInfoWire = z.looseObject({
  /** "The maximum length is 90 in UTF-16 runes". */
  title: textOf(90).optional(),
  /** "The maximum length is 4000 in UTF-16 runes". */
  description: textOf(4_000).optional(),
  privacy_level: z.enum(PRIVACY_LEVELS).optional(),
  disable_comment: z.boolean().optional(),
  auto_add_music: z.boolean().optional(),
  brand_content_toggle: z.boolean().optional(),
  brand_organic_toggle: z.boolean().optional(),
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
export const contentInit: ApiRoute = {
  endpoint: 'content_init',
  method: 'POST',
  path: '/v2/post/publish/content/init/',
  identify: identifyCall,
  act(world, request) {
    const callsPerMinute = world.settings.limits.initPerMinute;
    const scopes = ['video.publish', 'video.upload'];
    const admission = admit(world, request, { endpoint: 'content_init', scopes, callsPerMinute });
    if ('refusal' in admission) return { answer: admission.refusal };
    const { account, body } = admission;
    const { openId } = account;
    const content = contentWire.safeParse(body);
    if (!content.success) return { answer: world.answers.refuse('invalid_params'), openId };
    const isDirect = content.data.post_mode === 'DIRECT_POST';
    if (!account.scopes.includes(isDirect ? 'video.publish' : 'video.upload')) {
      return { answer: world.answers.refuse('scope_not_authorized'), openId };
    }
    const postInfo = postInfoWire.safeParse(body.post_info ?? {});
    if (!postInfo.success || (isDirect && isForbiddenBrand(world, postInfo.data))) {
      return { answer: world.answers.refuse('invalid_params', { message: POST_INFO_INCORRECT }), openId };
    }
    return startPublish(world, {
      account,
      kind: isDirect ? 'direct' : 'inbox',
      source: parsePhotos(body.source_info),
      postInfo: { ...postInfo.data, is_aigc: content.data.is_aigc },
      permit: () => (isDirect ? directPermit(world, account, postInfo.data.privacy_level) : inboxCap(world, account)),
    });
  },
};

function directPermit(
  world: World,
  account: Parameters<typeof directPostCap>[1],
  privacyLevel: string | undefined,
): RefusalCode | undefined {
  return privacyRefusal(world, account, privacyLevel) ?? directPostCap(world, account);
}

function parsePhotos(sourceInfo: unknown): ParsedSource {
  const wire = sourceInfoWire.safeParse(sourceInfo);
  if (!wire.success) return { refusal: EMPTY_OR_INCORRECT };
  return { source: { source: 'PULL_FROM_URL', media: 'photos', urls: wire.data.photo_images } };
}
