import { exposureOf, type SessionFacts } from './exposure.ts';
import type { PublishRequest } from './publish-request.ts';

/**
 * How a job is retried: `poll` queries its status again, `resume` continues the upload, `fresh_init` makes a new
 * publish_id.
 */
export type RetryPlan =
  | { readonly kind: 'poll' | 'resume' | 'fresh_init' }
  | { readonly kind: 'refuse'; readonly reason: string };

interface RetriableJob extends SessionFacts {
  readonly request: SessionFacts['request'] & Pick<PublishRequest, 'notAfter'>;
}

interface RetryContext {
  /** The caller has looked and takes the risk of a second post. */
  readonly force: boolean;
  /** Ms since the epoch. */
  readonly now: number;
}

/** Chooses the way to retry that can't post twice, and refuses where there is none unless forced. */
export function planRetry(job: RetriableJob, { force, now }: RetryContext): RetryPlan {
  const plan = planByExposure(job, force);
  const { notAfter } = job.request;
  if (plan.kind !== 'fresh_init' || notAfter === undefined || now < Date.parse(notAfter)) return plan;
  return { kind: 'refuse', reason: 'its notAfter is over: enqueue a new request' };
}

function planByExposure(job: SessionFacts, force: boolean): RetryPlan {
  if (job.state !== 'failed' && job.state !== 'unconfirmed') {
    return { kind: 'refuse', reason: `only failed and unconfirmed jobs can be retried; this job is ${job.state}` };
  }
  const exposure = exposureOf(job);
  if (force && job.state === 'unconfirmed') return { kind: 'fresh_init' };
  switch (exposure) {
    case 'dead':
    case 'none':
      return { kind: 'fresh_init' };
    case 'open':
      return { kind: job.session.kind === 'upload' && job.session.urlSealed !== undefined ? 'resume' : 'fresh_init' };
    case 'may_appear':
      return { kind: 'poll' };
    case 'init_in_doubt':
      return {
        kind: 'refuse',
        reason:
          'TikTok may have published the post, and there is no publish_id to check its status: check on TikTok, and if the post is not there, retry with force',
      };
  }
}
