import type { ErrorCode } from './error-table.ts';
import type { PublishState, WaitReason } from './publish-state.ts';

/** How many jobs there are, of all accounts or one. What has none is left out. */
export interface JobCounts {
  /** All of them. */
  readonly total: number;
  /** By state. */
  readonly states: Readonly<Partial<Record<PublishState, number>>>;
  /** Failed and unconfirmed ones, by error code. */
  readonly codes: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Those that wait, by what for. */
  readonly waitingFor: Readonly<Partial<Record<WaitReason, number>>>;
}
