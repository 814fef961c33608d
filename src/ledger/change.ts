import type { PublishEventType } from '../core/publish-job.ts';
import type { PublishState } from '../core/publish-state.ts';
import type { LedgerPatch, LedgerRecord } from './record.ts';

/** What happened, for the timeline: a past-tense fact and what goes with it. Never a secret. */
export interface Cause {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** A change of one record. */
export interface Change {
  readonly cause: Cause;
  readonly patch?: LedgerPatch;
  /** The new state; without it the state stays. */
  readonly to?: PublishState;
  /** The completion event that reports the change, written in the same step. */
  readonly event?: PublishEventType;
  /**
   * Only where a record went back in time and is written again as it was: the revision from which it goes on.
   * That is no step of the job, so any state may follow any other.
   */
  readonly goesOnFrom?: Pick<LedgerRecord, 'revision'>;
  /** When the sweep should look at the job again (ms since the epoch); by default in a minute. */
  readonly dueAt?: number;
}

/** Which start of which queue entry wants to own a record. */
export interface Run {
  /** Names the queue entry, so that a replaced entry counts its starts afresh. */
  readonly entry: string;
  /** How often that entry has been started (BullMQ's attemptsStarted). */
  readonly start: number;
}

export type Claim =
  | { readonly kind: 'claimed'; readonly record: LedgerRecord }
  | { readonly kind: 'missing' }
  | { readonly kind: 'overtaken' };
