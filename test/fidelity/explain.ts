import type { PublishJob } from '../../src/core/publish-job.ts';
import type { Evidence } from '../chaos/check-job.ts';
import type { CaseValues } from './factors.ts';

/** What TikTok says when a job has to wait for longer than a case lasts. */
const REFUSALS: Partial<Record<NonNullable<PublishJob['waitingFor']>, string>> = {
  daily_cap: 'spam_risk_too_many_posts',
  pending_share_cap: 'spam_risk_too_many_pending_share',
  active_user_cap: 'reached_active_user_cap',
  account_paused: 'invalid_grant',
  reauthorization: 'invalid_grant',
};

/** The code with which TikTok would have to have refused a job that waits so, for a day or for a person. */
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
  const { plan, job, requests, publishes } = evidence;
  const wasDisconnected = requests.some(({ endpoint, code }) => endpoint === 'token' && code === 'invalid_grant');
  const isDisconnected = wasDisconnected && job?.failure?.code.startsWith('AUTH_') === true;
  const internal = publishes.filter(({ failReason }) => failReason === 'internal').length >= INTERNAL_FAILURES;
  const refusedFor = isDisconnected ? 'invalid_grant' : internal ? 'internal' : undefined;
  const isForgottenAtTikTok =
    values.switches.publishIdLifetimeMs > 0 &&
    requests.findLast(({ endpoint }) => endpoint === 'status')?.code === 'invalid_publish_id';
  return {
    ...evidence,
    plan: {
      ...plan,
      ...(refusedFor !== undefined && { refusedFor }),
      // Nobody waits for a day here: the job is cancelled, and then has to be that.
      ...(wasGivenUp && { cancelAt: 'init' as const }),
    },
    isForgottenAtTikTok,
  };
}
