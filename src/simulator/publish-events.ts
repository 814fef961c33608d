import type { SimulatorSettings } from './options.ts';
import { publishStateAt } from './publish-status.ts';
import type { Publish } from './publishes.ts';

/** Something that TikTok reports of a publish. */
export interface PublishEvent {
  event: string;
  content: Record<string, unknown>;
}

/**
 * What there is to report of a publish that was not reported before (developers.tiktok.com/doc/webhooks-events, read
 * 2026-11-22).
 * @param reported what was; grows
 */
export function newEventsOf(
  publish: Publish,
  reported: Set<string>,
  now: number,
  settings: SimulatorSettings,
): { events: PublishEvent[]; isOver: boolean } {
  const state = publishStateAt(publish, now, settings);
  const events: PublishEvent[] = [];
  const about = {
    publish_id: publish.publishId,
    publish_type: publish.kind === 'direct' ? 'DIRECT_POST' : 'INBOX_SHARE',
  };
  const report = (mark: string, event: string, details: Record<string, unknown> = {}) => {
    if (reported.has(mark)) return;
    reported.add(mark);
    events.push({ event: `post.publish.${event}`, content: { ...about, ...details } });
  };
  if (state.status === 'FAILED') report('failed', 'failed', { reason: state.failReason });
  const isInInbox = publish.kind === 'inbox' && state.status !== 'FAILED' && !state.status.startsWith('PROCESSING');
  if (isInInbox) report('inbox', 'inbox_delivered');
  for (const { postId } of state.posts) report(`complete ${postId}`, 'complete');
  for (const postId of state.shownPostIds) {
    report(`public ${postId}`, settings.switches.publicWebhookSpelling, { post_id: BigInt(postId) });
  }
  const hasAllPosts = publish.kind === 'direct' && state.posts.length > 0;
  const isShown = state.posts.every((post) => !post.isPublic || state.shownPostIds.includes(post.postId));
  return { events, isOver: state.status === 'FAILED' || (hasAllPosts && isShown) };
}
