import type { PublishJob } from '../../src/core/publish-job.ts';
import type { Evidence } from '../chaos/check-job.ts';
import type { CaseValues } from './factors.ts';

/** What TikTok says when a job has to wait for longer than a case lasts. */
const REFUSALS: Partial<Record<NonNullable<PublishJob['waitingFor']>, string>> = {
  daily_cap: 'spam_risk_too_many_posts',
  pending_share_cap: 'spam_risk_too_many_pending_share',
  active_user_cap: 'reached_active_user_cap',
};

/** The code with which TikTok would have to have refused a job that waits so, for up to a day. */
export function refusalOf({ waitingFor }: Pick<PublishJob, 'waitingFor'>): string | undefined {
  return waitingFor === null ? undefined : REFUSALS[waitingFor];
}

/** Times that a job is failed for `internal` before it is given up: its first init and two more. */
const INTERNAL_FAILURES = 3;

/** Adds what TikTok has done to a job beside what was planned, as far as its requests show it. */
export function explain(
  evidence: Evidence,
  { values, wasGivenUp }: { readonly values: CaseValues; readonly wasGivenUp: boolean },
): Evidence {
  const { plan, requests, publishes } = evidence;
  const isSpent = publishes.filter(({ failReason }) => failReason === 'internal').length >= INTERNAL_FAILURES;
  const isForgottenAtTikTok =
    values.switches.publishIdLifetimeMs > 0 &&
    requests.findLast(({ endpoint }) => endpoint === 'status')?.code === 'invalid_publish_id';
  return {
    ...evidence,
    plan: {
      ...plan,
      ...(isSpent && { refusedFor: 'internal' }),
      // Nobody waits for a day here: the job is cancelled, and then has to be that.
      ...(wasGivenUp && { cancelAt: 'init' as const }),
    },
    ...{ isForgottenAtTikTok, mayTimeOut: true },
  };
}
