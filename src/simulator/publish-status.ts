import type { SimulatorSettings } from './options.ts';
import type { Post, Publish, PullTask } from './publishes.ts';

/** "TikTok's server will time out the task one hour after it starts", media-transfer-guide, read 2026-11-22. */
const PULL_TIMEOUT_MS = 3_600_000;

export type PublishStatus =
  | 'PROCESSING_UPLOAD'
  | 'PROCESSING_DOWNLOAD'
  | 'SEND_TO_USER_INBOX'
  | 'PUBLISH_COMPLETE'
  | 'FAILED';

export interface PublishState {
  status: PublishStatus;
  failReason?: string;
  /** Posts that exist. */
  posts: Post[];
  /** Ids of those that the status endpoint shows: public and through moderation. */
  shownPostIds: string[];
  downloadedBytes: number;
}

/** Works out what a publish is at `now`. Nothing is stored, so no timer is needed and the clock may be a test's. */
export function publishStateAt(publish: Publish, now: number, settings: SimulatorSettings): PublishState {
  const downloadedBytes = downloadedAt(publish, now, settings);
  const without = { posts: [], shownPostIds: [], downloadedBytes };
  const failed = (failReason: string): PublishState => ({ ...without, status: 'FAILED', failReason });

  if (publish.ended !== undefined && now >= publish.ended.at) return failed(publish.ended.reason);
  const transferFailure = transferFailureAt(publish, now, settings);
  if (transferFailure !== undefined) return failed(transferFailure);

  const processedAt = processedAtOf(publish, settings);
  if (publish.stuck || processedAt === undefined || now < processedAt) {
    return { ...without, status: processingStatusAt(publish, now, settings) };
  }
  if (publish.failReason !== undefined) return failed(publish.failReason);
  const { seconds = 0, maxSeconds = Number.POSITIVE_INFINITY } = publish;
  if (seconds > maxSeconds) return failed('duration_check_failed');

  const posts = postsOf(publish, processedAt, settings).filter((post) => post.at <= now);
  const shown = posts.filter((post) => post.isPublic && now >= post.at + settings.moderationMs);
  const status = publish.kind === 'inbox' && posts.length === 0 ? 'SEND_TO_USER_INBOX' : 'PUBLISH_COMPLETE';
  return { status, posts, shownPostIds: shown.map((post) => post.postId), downloadedBytes };
}

/** When the last byte of this publish was or will be in, if that is known. */
export function transferredAtOf(publish: Publish, settings: SimulatorSettings): number | undefined {
  if (publish.pull?.stalledAtBytes !== undefined) return undefined;
  const pretended = publish.pull !== undefined && !settings.fetchPulls;
  return pretended ? publish.initAt + settings.pullMs : publish.transferredAt;
}

/** Whether the publish has reached a state that its own work does not leave. */
export function isSettled(state: PublishState): boolean {
  return state.status === 'FAILED' || state.status === 'PUBLISH_COMPLETE' || state.status === 'SEND_TO_USER_INBOX';
}

function processedAtOf(publish: Publish, settings: SimulatorSettings): number | undefined {
  if (publish.processedAt !== undefined) return publish.processedAt;
  const transferredAt = transferredAtOf(publish, settings);
  return transferredAt === undefined ? undefined : transferredAt + settings.processingMs;
}

function processingStatusAt(publish: Publish, now: number, settings: SimulatorSettings): PublishStatus {
  if (publish.upload !== undefined) return 'PROCESSING_UPLOAD';
  const isDownloading = now < (transferredAtOf(publish, settings) ?? Number.POSITIVE_INFINITY);
  return isDownloading ? 'PROCESSING_DOWNLOAD' : settings.switches.pullProcessingStatus;
}

function transferFailureAt(publish: Publish, now: number, settings: SimulatorSettings): string | undefined {
  if (publish.pull?.failReason !== undefined) return publish.pull.failReason;
  const transferredAt = transferredAtOf(publish, settings);
  if (transferredAt !== undefined && transferredAt <= now) return undefined;
  const ageMs = now - publish.initAt;
  if (publish.pull !== undefined) return ageMs >= PULL_TIMEOUT_MS ? pullFailure(publish.pull) : undefined;
  return ageMs >= settings.switches.abandonedUploadFailsAfterMs ? 'internal' : undefined;
}

/** content-posting-api-reference-get-video-status, `fail_reason`, read 2026-11-22. */
export function pullFailure({ media }: PullTask): string {
  return media === 'photos' ? 'photo_pull_failed' : 'video_pull_failed';
}

function downloadedAt(publish: Publish, now: number, settings: SimulatorSettings): number {
  if (publish.pull === undefined) return 0;
  if (settings.fetchPulls) return publish.pull.downloadedBytes;
  const share = settings.pullMs === 0 ? 1 : Math.min(1, (now - publish.initAt) / settings.pullMs);
  return Math.min(Math.floor(share * settings.pullBytes), publish.pull.stalledAtBytes ?? Number.POSITIVE_INFINITY);
}

function postsOf(publish: Publish, processedAt: number, settings: SimulatorSettings): Post[] {
  if (publish.kind === 'direct') {
    const isPublic = publish.postInfo.privacy_level === 'PUBLIC_TO_EVERYONE';
    return [{ postId: publish.directPostId, at: processedAt, isPublic }];
  }
  if (settings.inboxPostedAfterMs === undefined) return publish.draftPosts;
  const automatic = { postId: publish.directPostId, at: processedAt + settings.inboxPostedAfterMs, isPublic: true };
  return [automatic, ...publish.draftPosts];
}
