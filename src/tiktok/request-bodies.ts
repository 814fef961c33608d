import type { PostSettings, VideoSource } from './tiktok-client.ts';

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
