import type { PublishState } from './publish-state.ts';

/** What is known of a job that somebody wants to retry. */
export interface RetrySubject {
  readonly state: PublishState;
  /** Whether TikTok fetches the media by itself. */
  readonly isFetched: boolean;
  readonly publishId?: string | undefined;
  readonly failedByTikTokAt?: number | undefined;
  readonly lastChunkStartedAt?: number | undefined;
  readonly uploadUrlSealed?: string | undefined;
}

/**
 * How a job is retried: `poll` asks TikTok again what became of it, `resume` goes on with the bytes, `fresh_init` makes
 * a new publish_id.
 */
export type RetryPlan =
  | { readonly kind: 'poll' | 'resume' | 'fresh_init' }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Chooses the way to retry that can't post twice, and refuses where there is none unless forced.
 *
 * @param force the caller has looked and takes the risk of a second post
 */
export function planRetry(job: RetrySubject, force: boolean): RetryPlan {
  if (job.state !== 'failed' && job.state !== 'unconfirmed') {
    return { kind: 'refuse', reason: `only failed and unconfirmed jobs can be retried; this job is ${job.state}` };
  }
  // TikTok's own word: this publish_id published nothing.
  if (job.failedByTikTokAt !== undefined) return { kind: 'fresh_init' };
  if (job.publishId === undefined) {
    if (job.state === 'failed' || force) return { kind: 'fresh_init' };
    return {
      kind: 'refuse',
      reason:
        'TikTok may have published the post, and there is no publish_id to check its status: check on TikTok, and if the post is not there, retry with force',
    };
  }
  if (force && job.state === 'unconfirmed') return { kind: 'fresh_init' };
  const mayHaveEverything = job.isFetched || job.lastChunkStartedAt !== undefined;
  if (mayHaveEverything) return { kind: 'poll' };
  return { kind: job.uploadUrlSealed === undefined ? 'fresh_init' : 'resume' };
}
