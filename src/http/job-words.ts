import { mediaName, oneLine } from '../core/post-text.ts';
import type { PublishJob, TimelineEntry } from '../core/publish-job.ts';

/** A job by what people know it by: account, mode and video, such as `acme · direct · holiday.mp4`. */
export function jobTitle({ request: { account, mode, media } }: Pick<PublishJob, 'request'>): string {
  return [account, mode, mediaName(media)].filter(Boolean).join(' · ');
}

/** A job by the title of its post; by {@link jobTitle} where it has none. */
export function postName(job: Pick<PublishJob, 'request'>): string {
  return oneLine(job.request.post?.title ?? '') || jobTitle(job);
}

/** A fact of the timeline in words: what happened, and what goes with it. */
export interface TimelineWords {
  /** UTC to the millisecond, such as `2026-11-22 14:03:07.123Z`. */
  readonly time: string;
  /** Such as `init sent`. */
  readonly what: string;
  /** Such as `source: file`. */
  readonly facts: readonly string[];
}

/** What happened, human-readable. */
export function timelineWords({ at, event, ...facts }: TimelineEntry): TimelineWords {
  return {
    time: preciseTimeText(at),
    what: inWords(event),
    facts: Object.entries(facts).map(
      ([name, value]) => `${inWords(name)}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
  };
}

/** An ISO time as people read it: `2026-11-22 14:03:07.123Z`. */
export function preciseTimeText(iso: string): string {
  return iso.replace('T', ' ');
}

/** `init_sent`, `retryAt` → `init sent`, `retry at`. */
function inWords(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
}
