import type { PublishMode } from '../core/publish-request.ts';
import type { PhotoSet, PostSettings, VideoSource } from './tiktok-client.ts';

/** `post_info` of a direct post (content-posting-api-reference-direct-post, read 2026-11-22). */
export function toPostInfoWire(post: PostSettings): Record<string, unknown> {
  return {
    title: post.title,
    privacy_level: post.privacyLevel,
    disable_duet: post.disableDuet,
    disable_stitch: post.disableStitch,
    disable_comment: post.disableComment,
    video_cover_timestamp_ms: post.coverTimestampMs,
    // The page's table calls both toggles required, its examples omit them: sending them satisfies both.
    brand_content_toggle: post.brandContent ?? false,
    brand_organic_toggle: post.brandOrganic ?? false,
    is_aigc: post.aiGenerated,
  };
}

/** The body of a photo post or draft (content-posting-api-reference-photo-post, read 2026-11-22). */
export function toPhotoPostWire({
  mode,
  post,
  photos,
}: {
  mode: PublishMode;
  post: PostSettings;
  photos: PhotoSet;
}): Record<string, unknown> {
  const texts = { title: post.title, description: post.description };
  const source = { source: 'PULL_FROM_URL', photo_images: photos.urls, photo_cover_index: photos.coverIndex };
  if (mode === 'inbox') {
    // The creator chooses everything else in the app.
    return { media_type: 'PHOTO', post_mode: 'MEDIA_UPLOAD', post_info: texts, source_info: source };
  }
  return {
    media_type: 'PHOTO',
    post_mode: 'DIRECT_POST',
    post_info: {
      ...texts,
      privacy_level: post.privacyLevel,
      disable_comment: post.disableComment,
      auto_add_music: post.autoAddMusic,
      // As for videos: called required by the page's table, left out by its examples.
      brand_content_toggle: post.brandContent ?? false,
      brand_organic_toggle: post.brandOrganic ?? false,
    },
    source_info: source,
    // Beside post_info, unlike for videos.
    is_aigc: post.aiGenerated,
  };
}

/** `source_info` of a direct post or a draft. */
export function toSourceInfoWire(source: VideoSource): Record<string, unknown> {
  if (source.kind === 'pull') return { source: 'PULL_FROM_URL', video_url: source.url };
  return {
    source: 'FILE_UPLOAD',
    video_size: source.plan.totalBytes,
    chunk_size: source.plan.chunkSizeBytes,
    total_chunk_count: source.plan.chunkCount,
  };
}
