import type { SessionFacts } from './exposure.ts';
import type { PublishError } from './publish-error.ts';
import type { PublishFailure } from './publish-job.ts';
import type { WaitReason } from './publish-state.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { BookedCall, Deferral, Handback } from './step-interrupt.ts';

/** What interrupts a step: an error, something to wait for, or a worker that stops. */
export type Trouble = PublishError | Deferral | Handback;

/** What is known of a job when a step of it is interrupted; a ledger record has all of it. Instants are ms. */
export interface InterruptedJob extends SessionFacts {
  readonly attempts: number;
  /** Codes of the errors for which a new publish_id replaced one that will publish nothing; oldest first. */
  readonly restartedFor?: readonly string[] | undefined;
  readonly createdAt: number;
  readonly scheduledAt?: number | undefined;
  readonly retriedAt?: number | undefined;
  readonly processingSince?: number | undefined;
  readonly cancelRequestedAt?: number | undefined;
  /** Why we gave the job up while TikTok might publish it. */
  readonly gaveUpFor?: PublishFailure | undefined;
  /** TikTok's download stalled, so that we asked TikTok to stop it. */
  readonly pullStalledAt?: number | undefined;
  readonly pullBytes?: number | undefined;
}

/** Which step was interrupted, and by which rules it goes on. */
export interface PlanContext {
  /** `publish` brings a post to TikTok, `poll` asks for its outcome, `recheck` looks at an ended job once more. */
  readonly step: 'publish' | 'poll' | 'recheck';
  readonly now: number;
  /** Numbers from 0 to 1, for jitter. */
  readonly random: () => number;
  readonly retryPolicy: RetryPolicy;
  /** How long a job may wait for quotas, caps and its account before it fails. */
  readonly maxWaitMs: number;
  /** How long TikTok may process a post before its outcome counts as unknown. */
  readonly outcomeWithinMs: number;
  /** When a cap frees by our own count of posts. */
  readonly capFreesAt?: number | undefined;
}

/** What TikTok's status said when a plan asked for it. */
export type StatusSaid =
  | { readonly kind: 'has_everything' | 'lacks_bytes' | 'nothing' }
  /** FAILED: TikTok published nothing of this publish_id. */
  | { readonly kind: 'failed'; readonly error: PublishError }
  | { readonly kind: 'no_answer'; readonly trouble: Trouble };

/** What becomes of a job whose step was interrupted. Instants are ms since the epoch. */
export type Plan =
  /** Another owner acts: nothing may be written. */
  | { readonly kind: 'superseded' }
  /** Back to the queue as it is, for another worker. */
  | { readonly kind: 'hand_back' }
  /** Goes on at a time that others decide; burns no attempt. */
  | {
      readonly kind: 'wait';
      readonly reason: WaitReason;
      readonly until: number;
      readonly error?: PublishError;
      readonly bookedSlot?: BookedCall | undefined;
    }
  /** The same step again after a backoff; burns an attempt. */
  | { readonly kind: 'retry'; readonly at: number; readonly attempts: number; readonly error: PublishError }
  /** A new publish_id, because the present one will publish nothing. */
  | {
      readonly kind: 'start_over';
      readonly at: number;
      readonly attempts: number;
      readonly error: PublishError;
      /** From now on we fetch the video that TikTok could not fetch. */
      readonly fallsBack: boolean;
    }
  /** TikTok's status is needed first; then the planner is asked again. */
  | { readonly kind: 'ask_status' }
  /** TikTok may have everything: its outcome is polled. `gaveUp`: should it publish nothing, the job fails with `error`. */
  | {
      readonly kind: 'follow';
      readonly error: PublishError;
      readonly gaveUp: boolean;
      /** TikTok's status says that it has every byte. */
      readonly isUploaded: boolean;
    }
  /** TikTok is asked again, not before a time; the job does not change. */
  | { readonly kind: 'ask_later'; readonly notBeforeAt: number; readonly error: PublishError }
  | { readonly kind: 'end'; readonly to: 'failed' | 'unconfirmed'; readonly error: PublishError }
  | { readonly kind: 'end'; readonly to: 'cancelled' };
