import type { PublishError } from './publish-error.ts';
import type { PublishFailure } from './publish-job.ts';
import type { PublishState } from './publish-state.ts';

/** What a finished queue entry answers, as Bull Board shows it. */
export interface EntryResult {
  readonly state: PublishState;
  readonly publishId: string | null;
  readonly postIds: readonly string[];
}

/** What an entry that BullMQ numbered answers: its job goes on under this id. */
export interface AdoptionResult {
  readonly id: string;
}

/** What a delivered event's entry answers, as Bull Board shows it. */
export interface DeliveryResult {
  readonly delivered: true;
  readonly status: number;
}

/** What a processor decided about its queue entry. */
export type Settlement =
  | { readonly kind: 'done'; readonly result: EntryResult | AdoptionResult | DeliveryResult }
  /** The entry runs again at a time (ms since the epoch); costs no attempt of BullMQ's. */
  | {
      readonly kind: 'later';
      readonly at: number;
      /** Called once the entry lies in the queue again. */
      readonly afterwards?: () => Promise<void>;
    }
  | { readonly kind: 'failed'; readonly failure: Pick<PublishFailure, 'code' | 'message'> }
  /** The entry failed and runs again after a pause; costs one of BullMQ's attempts. */
  | {
      readonly kind: 'retry';
      readonly delayMs: number;
      readonly failure: Pick<PublishFailure, 'code' | 'message'>;
    }
  /**
   * Nothing may or can be written: somebody else owns the job by now, or Redis is away. The entry is taken up again as
   * it is; costs no attempt.
   */
  | {
      readonly kind: 'lost';
      readonly trouble?: PublishError;
    };

/** A queue entry that failed for good. */
export function failed({ code, message }: Pick<PublishFailure, 'code' | 'message'>): Settlement {
  return { kind: 'failed', failure: { code, message } };
}
