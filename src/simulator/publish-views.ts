import type { SimulatorSettings } from './options.ts';
import { publishStateAt } from './publish-status.ts';
import type { Publish } from './publishes.ts';

/** A publish as a test or the control plane sees it. */
export type PublishView = ReturnType<typeof viewPublish>;

export type PostView = ReturnType<typeof viewPosts>[number];

/** Shows a publish as it is at `now`. */
export function viewPublish(publish: Publish, now: number, settings: SimulatorSettings) {
  const state = publishStateAt(publish, now, settings);
  const { upload, pull } = publish;
  const acceptedBytes = upload?.acceptedBytes ?? state.downloadedBytes;
  const receivedBytes = upload?.receivedBytes ?? state.downloadedBytes;
  return {
    publishId: publish.publishId,
    openId: publish.openId,
    kind: publish.kind,
    source: upload === undefined ? ('PULL_FROM_URL' as const) : ('FILE_UPLOAD' as const),
    initAt: publish.initAt,
    title: publish.postInfo.title,
    privacyLevel: publish.postInfo.privacy_level,
    /** `post_info` as it was sent; empty for an inbox draft. */
    postInfo: publish.postInfo,
    /** Hashtags and mentions of the title, without # and @. */
    hashtags: taggedIn(publish.postInfo.title, '#'),
    mentions: taggedIn(publish.postInfo.title, '@'),
    /** Where in the video its cover is, in ms; 0 is the first frame. */
    coverMs: coverMsOf(publish, settings),
    totalBytes: upload?.plan.totalBytes ?? pull?.totalBytes,
    acceptedBytes,
    receivedBytes,
    /** Bytes received beyond those newly accepted. */
    resentBytes: receivedBytes - acceptedBytes,
    /** How often a complete file came in: 0 or 1. */
    completeUploads: upload !== undefined && publish.transferredAt !== undefined ? 1 : 0,
    /** Hex digest of the whole file, once it is complete. */
    sha256: digestOf(publish),
    status: state.status,
    failReason: state.failReason,
    /** Ids of the posts made, public or not. */
    posts: state.posts.map((post) => post.postId),
  };
}

/** Shows the posts that a publish has made by `now`. */
export function viewPosts(publish: Publish, now: number, settings: SimulatorSettings) {
  return publishStateAt(publish, now, settings).posts.map((post) => ({
    openId: publish.openId,
    publishId: publish.publishId,
    postId: post.postId,
    title: publish.postInfo.title,
    sha256: digestOf(publish),
    at: post.at,
  }));
}

/** "Hashtags and mentions … end at a space or a new line" (content-posting-api-reference-direct-post, read 2026-09-11). */
function taggedIn(title = '', mark: '#' | '@'): string[] {
  const words = title.split(/[ \r\n]+/).flatMap((word) => word.split(/(?=[#@])/));
  return words.filter((word) => word.startsWith(mark) && word.length > 1).map((word) => word.slice(1));
}

/** An integrator saw the asked-for frame on public posts, and the first one on SELF_ONLY posts. */
function coverMsOf({ postInfo }: Publish, { switches }: SimulatorSettings): number {
  const isShown = switches.coverFrame === 'all' || postInfo.privacy_level === 'PUBLIC_TO_EVERYONE';
  return isShown ? (postInfo.video_cover_timestamp_ms ?? 0) : 0;
}

function digestOf(publish: Publish): string | undefined {
  if (publish.pull !== undefined) return publish.pull.sha256;
  if (publish.transferredAt === undefined) return undefined;
  // A copy, because a Hash gives its digest only once.
  return publish.upload?.hash?.copy().digest('hex');
}
