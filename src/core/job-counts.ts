import type { ErrorCode } from './error-table.ts';
import type { PublishState, WaitReason } from './publish-state.ts';

type Counts<Name extends string> = Readonly<Partial<Record<Name, number>>>;

/** How many jobs there are, of all accounts or some. What has none is left out. */
export interface JobCounts {
  /** All of them. */
  readonly total: number;
  /** By state. */
  readonly states: Counts<PublishState>;
  /** Failed and unconfirmed ones, by error code. */
  readonly codes: Counts<ErrorCode>;
  /** Those that wait, by what for. */
  readonly waitingFor: Counts<WaitReason>;
}

/** Of nothing. */
export const NO_JOBS: JobCounts = { total: 0, states: {}, codes: {}, waitingFor: {} };

/** Of two parts that have no job in common. */
export function addCounts(one: JobCounts, other: JobCounts): JobCounts {
  return {
    total: one.total + other.total,
    states: sumOf(one.states, other.states),
    codes: sumOf(one.codes, other.codes),
    waitingFor: sumOf(one.waitingFor, other.waitingFor),
  };
}

function sumOf<Name extends string>(one: Counts<Name>, other: Counts<Name>): Counts<Name> {
  const sum: Partial<Record<Name, number>> = { ...one };
  for (const name of Object.keys(other) as Name[]) sum[name] = (one[name] ?? 0) + (other[name] ?? 0);
  return sum;
}
