import { exposureOf, type SessionFacts } from './exposure.ts';
import { isFetchedByTikTok, mediaInUse } from './media-route.ts';
import { isTerminal } from './publish-state.ts';

/**
 * `now`: nothing can have been published, so it ends here. `ask_tiktok`: TikTok is downloading and may still stop.
 */
export type CancelPlan =
  | { readonly kind: 'now' | 'ask_tiktok' | 'is_cancelled' }
  | { readonly kind: 'refuse'; readonly reason: string };

/** Whether and how a job can be cancelled without lying about what TikTok may publish. */
export function planCancel(job: SessionFacts): CancelPlan {
  if (job.state === 'cancelled') return { kind: 'is_cancelled' };
  if (isTerminal(job.state)) return { kind: 'refuse', reason: `the job has ended: it is ${job.state}` };
  if (job.state === 'scheduled' || job.state === 'queued') return { kind: 'now' };
  if (isFetchedByTikTok(mediaInUse(job))) return { kind: 'ask_tiktok' };
  // An upload publishes nothing before its last chunk is in; the owner must note that it starts it, and is fenced out.
  if (exposureOf(job) !== 'may_appear') return { kind: 'now' };
  return { kind: 'refuse', reason: 'TikTok may have the whole video and publish it' };
}
