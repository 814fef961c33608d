import type { PublishJob } from './publish-job.ts';
import type { WaitReason } from './publish-state.ts';
import { partOfText, timeText } from './quantity-text.ts';

/** What a job waits for, after "waiting for". */
export const WAIT_TEXTS: Readonly<Record<WaitReason, string>> = {
  turn: 'its turn among the uploads of its account',
  rate_limit: "TikTok's rate limit",
  daily_cap: "the account's daily post limit",
  pending_share_cap: "the account's limit of unposted drafts",
  active_user_cap: "the app's daily limit of posting accounts",
  account_paused: 'the account, which is paused',
  reauthorization: 'the account, which must be connected again',
  publishing_paused: 'the end of the pause of all publishing',
  replication: 'the Redis replicas, which have not confirmed the last write',
};

/** What is true of a job, as one human-readable line. */
export function headline(job: PublishJob): string {
  switch (job.state) {
    case 'scheduled':
      return `scheduled for ${timeText(job.scheduledAt ?? job.createdAt)}`;
    case 'queued':
      return waitText(job);
    case 'uploading':
      return `uploading: ${acceptedText(job)}${againText(job)}${pauseText(job, ', ')}`;
    case 'processing':
      return `processing: TikTok is processing the post${pauseText(job, '; status check ')}`;
    case 'published':
      return job.postIds.length === 0 ? 'published' : `published as post ${job.postIds.join(', ')}`;
    case 'in_inbox':
      return "delivered to the creator's inbox as a draft";
    case 'failed':
      return `failed: ${job.failure?.message ?? 'reason unknown'}`;
    case 'cancelled':
      return 'cancelled before it could be published';
    case 'unconfirmed':
      return `unconfirmed: ${job.failure?.message ?? 'it is unknown whether the post was published'}`;
  }
}

/** What the headline says, where the state stands beside it. */
export function restOfHeadline(job: PublishJob): string {
  const text = headline(job);
  const start = [`${job.state}: `, `${job.state} `, job.state].find((each) => text.startsWith(each)) ?? '';
  return text.slice(start.length);
}

/** Nothing is accepted of what TikTok downloads itself, nor before the upload begins. */
function acceptedText(job: PublishJob): string {
  const { acceptedBytes, totalBytes } = job.progress;
  return totalBytes === 0 ? 'starting' : `${partOfText(acceptedBytes, totalBytes)} accepted (${percentText(job)})`;
}

/** How much TikTok has accepted, rounded down so that 100% means all of it. */
export function percentOf({ progress }: PublishJob): number {
  return progress.totalBytes === 0 ? 0 : Math.floor((100 * progress.acceptedBytes) / progress.totalBytes);
}

/** {@link percentOf} for people. */
export function percentText(job: PublishJob): string {
  return `${percentOf(job)}%`;
}

/** When a job goes on after an attempt that failed, and why that one did. */
function againText({ waitingFor, waitingUntil, timeline }: PublishJob): string {
  if (waitingFor !== null || waitingUntil === null) return '';
  const message = timeline.findLast(({ event }) => event === 'attempt_failed')?.message;
  const why = typeof message === 'string' ? ` after: ${message}` : '';
  return `, next attempt at ${timeText(waitingUntil)}${why}`;
}

function waitText(job: PublishJob): string {
  const { waitingFor, waitingUntil } = job;
  if (waitingFor === null && waitingUntil !== null) return `queued${againText(job)}`;
  return waitingFor === null ? 'queued: starts when a worker is free' : `queued: ${pauseText(job)}`;
}

/**
 * What a job waits for, if it waits for something, and when it looks again: then it may still have to wait, since others
 * use TikTok's limits too and what it waits for may be up to a person.
 */
function pauseText({ waitingFor, waitingUntil }: PublishJob, before = ''): string {
  if (waitingFor === null) return '';
  const next = waitingUntil === null ? '' : `; looks again at ${timeText(waitingUntil)}`;
  return `${before}waiting for ${WAIT_TEXTS[waitingFor]}${next}`;
}
