import { isTerminal, type PublishState } from './publish-state.ts';

/** What is known of a job that somebody wants to cancel. */
export interface CancelSubject {
  readonly state: PublishState;
  /** Whether TikTok fetches the media by itself. */
  readonly isFetched: boolean;
  readonly initIntendedAt?: number | undefined;
  readonly publishId?: string | undefined;
  readonly lastChunkStartedAt?: number | undefined;
}

/**
 * `now`: nothing can have been published, so it ends here. `ask_tiktok`: TikTok is downloading and may still stop.
 */
export type CancelPlan =
  | { readonly kind: 'now' | 'ask_tiktok' | 'is_cancelled' }
  | { readonly kind: 'refuse'; readonly reason: string };

/** Whether and how a job can be cancelled without lying about what TikTok may publish. */
export function planCancel(job: CancelSubject): CancelPlan {
  if (job.state === 'cancelled') return { kind: 'is_cancelled' };
  if (isTerminal(job.state)) return { kind: 'refuse', reason: `the job has ended: it is ${job.state}` };
  if (job.state === 'scheduled' || job.state === 'queued') return { kind: 'now' };
  if (job.isFetched) return { kind: 'ask_tiktok' };
  // An upload publishes nothing before its last chunk is in; the owner must note that it starts it, and is fenced out.
  if (job.state === 'uploading' && job.lastChunkStartedAt === undefined) return { kind: 'now' };
  return { kind: 'refuse', reason: 'TikTok has the whole video and will publish it' };
}
