import type { SimulatorSettings } from './options.ts';
import { type PublishStatus, publishStateAt } from './publish-status.ts';
import type { PostInfo, Publish } from './publishes.ts';

/** A publish as a test or the control plane sees it. */
export interface PublishView {
  publishId: string;
  openId: string;
  kind: 'direct' | 'inbox';
  source: 'FILE_UPLOAD' | 'PULL_FROM_URL';
  initAt: number;
  title: string | undefined;
  privacyLevel: string | undefined;
  /** `post_info` as it was sent; empty for an inbox draft. */
  postInfo: PostInfo;
  totalBytes: number | undefined;
  acceptedBytes: number;
  receivedBytes: number;
  /** Bytes received beyond those newly accepted. */
  resentBytes: number;
  /** How often a complete file came in: 0 or 1. */
  completeUploads: number;
  /** Hex digest of the whole file, once it is complete. */
  sha256: string | undefined;
  status: PublishStatus;
  failReason: string | undefined;
  /** Ids of the posts made, public or not. */
  posts: string[];
}

export interface PostView {
  openId: string;
  publishId: string;
  postId: string;
  title: string | undefined;
  sha256: string | undefined;
  at: number;
}

/** Shows a publish as it is at `now`. */
export function viewPublish(publish: Publish, now: number, settings: SimulatorSettings): PublishView {
  const state = publishStateAt(publish, now, settings);
  const { upload, pull } = publish;
  const acceptedBytes = upload?.acceptedBytes ?? state.downloadedBytes;
  const receivedBytes = upload?.receivedBytes ?? state.downloadedBytes;
  return {
    publishId: publish.publishId,
    openId: publish.openId,
    kind: publish.kind,
    source: upload === undefined ? 'PULL_FROM_URL' : 'FILE_UPLOAD',
    initAt: publish.initAt,
    title: publish.postInfo.title,
    privacyLevel: publish.postInfo.privacy_level,
    postInfo: publish.postInfo,
    totalBytes: upload?.plan.totalBytes ?? pull?.totalBytes,
    acceptedBytes,
    receivedBytes,
    resentBytes: receivedBytes - acceptedBytes,
    completeUploads: upload !== undefined && publish.transferredAt !== undefined ? 1 : 0,
    sha256: digestOf(publish),
    status: state.status,
    failReason: state.failReason,
    posts: state.posts.map((post) => post.postId),
  };
}

/** Shows the posts that a publish has made by `now`. */
export function viewPosts(publish: Publish, now: number, settings: SimulatorSettings): PostView[] {
  return publishStateAt(publish, now, settings).posts.map((post) => ({
    openId: publish.openId,
    publishId: publish.publishId,
    postId: post.postId,
    title: publish.postInfo.title,
    sha256: digestOf(publish),
    at: post.at,
  }));
}

function digestOf(publish: Publish): string | undefined {
  if (publish.pull !== undefined) return publish.pull.sha256;
  if (publish.transferredAt === undefined) return undefined;
  // A copy, because a Hash gives its digest only once.
  return publish.upload?.hash?.copy().digest('hex');
}
