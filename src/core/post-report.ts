import type { PublishState } from './publish-state.ts';
import { isWorthRechecking } from './recheck-schedule.ts';

/** What TikTok reports of a post (webhooks-events, read 2026-11-22). */
export type PostReport =
  | 'failed'
  | 'complete'
  | 'inbox_delivered'
  | 'publicly_available'
  | 'no_longer_publicly_available';

/** TikTok spells the last two in more than one way. */
const BY_EVENT: ReadonlyMap<string, PostReport> = new Map<string, PostReport>([
  ['post.publish.failed', 'failed'],
  ['post.publish.complete', 'complete'],
  ['post.publish.inbox_delivered', 'inbox_delivered'],
  ['post.publish.publicly_available', 'publicly_available'],
  ['post.publish.publicaly_available', 'publicly_available'],
  ['post.publish.no_longer_publicly_available', 'no_longer_publicly_available'],
  ['post.publish.no_longer_publicaly_available', 'no_longer_publicly_available'],
]);

/** The report that a webhook's event stands for; undefined for events about anything else. */
export function toPostReport(event: string): PostReport | undefined {
  return BY_EVENT.get(event);
}

/**
 * What a report wakes: the poll of a job whose outcome is awaited, or the recheck of one whose outcome may get better.
 * @returns undefined for a report that brings nothing new, such as the second of the same kind
 */
export function wokenBy(
  report: PostReport,
  job: Parameters<typeof isWorthRechecking>[0] & { readonly state: PublishState },
): 'poll' | 'recheck' | undefined {
  if (job.state === 'processing') return 'poll';
  if (!isWorthRechecking(job) || report === 'no_longer_publicly_available') return undefined;
  if (job.state === 'unconfirmed') return 'recheck';
  if (job.state === 'in_inbox') return report === 'complete' || report === 'publicly_available' ? 'recheck' : undefined;
  return report === 'publicly_available' ? 'recheck' : undefined;
}
