import type { WaitReason } from './publish-state.ts';

/**
 * What an error means for the job. The error table gives each code one of these; the workers act on it.
 *
 * - `retry`: try again after a backoff; burns one attempt
 * - `wait`: try again at a time that is not ours to choose; burns none
 * - `refresh_token`: get a new access token once and repeat the call
 * - `resync_offset`: ask TikTok what it has and go on from there
 * - `new_init`: the old publish_id is dead; once its status shows that nothing was published, start again
 * - `ask_status`: TikTok may have acted; ask before doing anything else
 * - `give_up`: fail the job; repeating as it is can't help
 * - `unconfirmed`: nobody can tell whether it was published; never repeat by ourselves
 * - `superseded`: another owner acts on the job; write nothing
 * @internal
 */
export type VerdictKind =
  | 'retry'
  | 'wait'
  | 'refresh_token'
  | 'resync_offset'
  | 'new_init'
  | 'ask_status'
  | 'give_up'
  | 'unconfirmed'
  | 'superseded';

export interface ErrorRow {
  readonly verdict: VerdictKind;
  /** False when we do not know whether TikTok acted on the request. */
  readonly outcomeKnown: boolean;
  /** Whether a person may sensibly retry the job by hand as it is. */
  readonly retryable: boolean;
  /** What `wait` waits for. */
  readonly waitReason?: WaitReason;
  /** How long `wait` waits when the answer did not say (ms). */
  readonly waitMs?: number;
  /** Nothing of the account can be posted, so the account is paused instead of failing its jobs one by one. */
  readonly pausesAccount?: true;
  /** What happened: a lower-case sentence without advice or secrets. */
  readonly message: string;
  readonly advice: string;
  /** How loudly operators want to hear of it. */
  readonly alert: 'page' | 'count' | 'ignore';
}
