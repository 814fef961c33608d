import type { z } from 'zod';
import { PublishError } from '../core/publish-error.ts';
import type { PublishMode } from '../core/publish-request.ts';
import { observed } from './observe-request.ts';
import { type ParsedAnswer, parseEnvelope } from './parse-answer.ts';
import { retryBriefly } from './retry.ts';
import {
  type CallContext,
  type InitAnswer,
  KNOWN_STATUSES,
  type PhotoSet,
  type PostSettings,
  type TikTokClient,
  type VideoSource,
} from './tiktok-client.ts';
import type { CallDeps } from './transport.ts';
import { creatorInfoWire, initWire, nothingWire, statusWire } from './wire.ts';
import { withoutSecrets } from './without-secrets.ts';

/** An endpoint of the posting API; paths end in a slash. */
interface Endpoint<T> {
  readonly name: string;
  readonly path: string;
  readonly dataWire: z.ZodType<T>;
  /** Repeating the call does no harm. */
  readonly repeatable?: true;
}

const init = (name: string, path: string) => ({ name, path, dataWire: initWire });

const DIRECT_INIT = init('direct_init', '/v2/post/publish/video/init/');
const INBOX_INIT = init('inbox_init', '/v2/post/publish/inbox/video/init/');
const PHOTO_INIT = init('photo_init', '/v2/post/publish/content/init/');
const STATUS_FETCH = {
  name: 'status',
  path: '/v2/post/publish/status/fetch/',
  dataWire: statusWire,
  repeatable: true,
} as const;
const CREATOR_INFO = {
  name: 'creator_info',
  path: '/v2/post/publish/creator_info/query/',
  dataWire: creatorInfoWire,
  repeatable: true,
} as const;
const CANCEL = {
  name: 'cancel',
  path: '/v2/post/publish/cancel/',
  dataWire: nothingWire,
} as const;

/** The calls under `/v2/post/publish/`. */
export function createPostingCalls(
  deps: CallDeps,
): Pick<
  TikTokClient,
  'initDirectVideo' | 'initInboxVideo' | 'initPhotos' | 'fetchStatus' | 'queryCreatorInfo' | 'cancelPublish'
> {
  return {
    initDirectVideo: async ({ post, source }, context) => {
      const body = { post_info: toPostInfoWire(post), source_info: toSourceInfoWire(source) };
      return toInitAnswer(DIRECT_INIT.name, source, await call(deps, DIRECT_INIT, body, context));
    },
    initInboxVideo: async ({ source }, context) => {
      const body = { source_info: toSourceInfoWire(source) };
      return toInitAnswer(INBOX_INIT.name, source, await call(deps, INBOX_INIT, body, context));
    },
    initPhotos: async (input, context) => {
      const { data, logId } = await call(deps, PHOTO_INIT, toPhotoPostWire(input), context);
      return { ...data, logId };
    },
    fetchStatus: async ({ publishId }, context) => {
      const { data, logId } = await call(deps, STATUS_FETCH, { publish_id: publishId }, context);
      const status = KNOWN_STATUSES.find((known) => known === data.rawStatus) ?? 'unknown';
      const shown = (text: string) => withoutSecrets(text, [context.accessToken]);
      const { rawStatus, failReason } = data;
      return { ...data, status, rawStatus: shown(rawStatus), failReason: failReason && shown(failReason), logId };
    },
    queryCreatorInfo: async (context) => (await call(deps, CREATOR_INFO, {}, context)).data,
    cancelPublish: async ({ publishId }, context) => {
      await call(deps, CANCEL, { publish_id: publishId }, context);
    },
  };
}

function call<T>(deps: CallDeps, endpoint: Endpoint<T>, body: unknown, context: CallContext): Promise<ParsedAnswer<T>> {
  let attempts = 0;
  const callOnce = () => {
    attempts += 1;
    return observed({ endpoint: endpoint.name, facts: { 'tiktok.attempt': attempts } }, deps, async (note) => {
      const answer = await deps.transport.post({
        endpoint: endpoint.name,
        url: new URL(endpoint.path, deps.apiBaseUrl),
        headers: {
          authorization: `Bearer ${context.accessToken}`,
          'content-type': 'application/json; charset=UTF-8',
        },
        body: JSON.stringify(body),
        ownConnection: endpoint.repeatable !== true,
        sentSecrets: [context.accessToken],
        signal: context.signal,
      });
      note({ httpStatus: answer.httpStatus });
      const parsed = parseEnvelope(endpoint.name, answer, endpoint.dataWire);
      note({ logId: parsed.logId });
      return parsed;
    });
  };
  if (endpoint.repeatable !== true) return callOnce();
  return retryBriefly(callOnce, { signal: context.signal, times: deps.briefRetry });
}

function toInitAnswer(
  endpoint: string,
  source: VideoSource,
  { data, logId }: ParsedAnswer<Pick<InitAnswer, 'publishId' | 'uploadUrl'>>,
): InitAnswer {
  if (source.kind === 'file_upload' && data.uploadUrl === undefined) {
    const reason = 'expected an upload_url for FILE_UPLOAD, got none';
    throw new PublishError('TRANSPORT_BAD_ANSWER', {
      reason,
      endpoint,
      ...(logId === undefined ? {} : { tiktokLogId: logId }),
    });
  }
  return { ...data, logId };
}

/** `post_info` of a direct post (content-posting-api-reference-direct-post, read 2026-11-22). */
function toPostInfoWire(post: PostSettings): Record<string, unknown> {
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
function toPhotoPostWire({
  mode,
  post,
  photos,
}: {
  mode: PublishMode;
  post: PostSettings;
  photos: PhotoSet;
}): Record<string, unknown> {
  const texts = { title: post.title, description: post.description };
  const common = {
    media_type: 'PHOTO',
    source_info: { source: 'PULL_FROM_URL', photo_images: photos.urls, photo_cover_index: photos.coverIndex },
    // Beside post_info, unlike for videos.
    is_aigc: post.aiGenerated,
  };
  // The creator chooses everything else in the app.
  if (mode === 'inbox') return { ...common, post_mode: 'MEDIA_UPLOAD', post_info: texts };
  return {
    ...common,
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
  };
}

/** `source_info` of a direct post or a draft. */
function toSourceInfoWire(source: VideoSource): Record<string, unknown> {
  if (source.kind === 'pull') return { source: 'PULL_FROM_URL', video_url: source.url };
  return {
    source: 'FILE_UPLOAD',
    video_size: source.plan.totalBytes,
    chunk_size: source.plan.chunkSizeBytes,
    total_chunk_count: source.plan.chunkCount,
  };
}
