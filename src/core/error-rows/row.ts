import type { WaitReason } from '../publish-state.ts';
import type { ErrorRow } from '../verdict.ts';

/** What a row says and what is special about it; the functions below set the rest. */
type RowFacts = Pick<ErrorRow, 'message' | 'advice'> &
  Partial<Pick<ErrorRow, 'outcomeKnown' | 'retryable' | 'alert' | 'pausesAccount'>>;

/** A refusal for good: nothing happened, and repeating it as it is can't help. */
export function giveUp(facts: RowFacts): ErrorRow {
  return { verdict: 'give_up', outcomeKnown: true, retryable: false, alert: 'ignore', ...facts };
}

/** A hiccup: try again after a backoff. */
export function retry(facts: RowFacts): ErrorRow {
  return act('retry', facts);
}

/** A limit: go on when it frees, `waitMs` later unless the answer said when. */
export function wait(waitReason: WaitReason, waitMs: number, facts: RowFacts): ErrorRow {
  return { ...act('wait', facts), waitReason, waitMs };
}

/** Any other verdict. */
export function act(verdict: ErrorRow['verdict'], facts: RowFacts): ErrorRow {
  return { verdict, outcomeKnown: true, retryable: true, alert: 'count', ...facts };
}
