import type { WaitReason } from '../publish-state.ts';
import type { ErrorRow } from '../verdict.ts';

/** What a row says to people. */
export interface RowText {
  readonly message: string;
  readonly advice: string;
}

type RowOverrides = Partial<Pick<ErrorRow, 'outcomeKnown' | 'retryable' | 'alert' | 'pausesAccount'>>;

/** A refusal for good: nothing happened, and repeating it as it is can't help. */
export function giveUp(text: RowText, overrides: RowOverrides = {}): ErrorRow {
  return { verdict: 'give_up', outcomeKnown: true, retryable: false, alert: 'ignore', ...text, ...overrides };
}

/** A hiccup: try again after a backoff. */
export function retry(text: RowText, overrides: RowOverrides = {}): ErrorRow {
  return { verdict: 'retry', outcomeKnown: true, retryable: true, alert: 'count', ...text, ...overrides };
}

/** A limit: go on when it frees, `waitMs` later unless the answer said when. */
export function wait(waitReason: WaitReason, waitMs: number, text: RowText, overrides: RowOverrides = {}): ErrorRow {
  return {
    verdict: 'wait',
    waitReason,
    waitMs,
    outcomeKnown: true,
    retryable: true,
    alert: 'count',
    ...text,
    ...overrides,
  };
}

/** Any other verdict. */
export function act(verdict: ErrorRow['verdict'], text: RowText, overrides: RowOverrides = {}): ErrorRow {
  return { verdict, outcomeKnown: true, retryable: true, alert: 'count', ...text, ...overrides };
}
