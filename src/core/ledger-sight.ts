import { MINUTE_MS, SECOND_MS } from './units.ts';

/** What one look at the ledger's mark showed. */
export interface LedgerSight {
  /** Made once, at random, when the ledger began. */
  readonly id: string;
  /** How many beats the ledger has counted; it only grows. */
  readonly count: number;
  /** When it counted the last one, by the clock of Redis (ms since the epoch). For people, and to tell old jobs. */
  readonly at: number;
}

/** What is found now, to be held against an earlier sight. */
export interface FoundLedger {
  /** Undefined where the ledger has no mark. */
  readonly sight: LedgerSight | undefined;
  /** Since when it has jobs (ms since the epoch): by the clock of Redis, if its events tell. Undefined without jobs. */
  readonly holdsJobsSince: number | undefined;
  /** Ids of ledgers for which a person accepted this one. */
  readonly acceptedIds: readonly string[];
}

/** How often a ledger that workers look at counts a beat. The count is compared, so clocks that jump do no harm. */
export const BEAT_MS = 5 * SECOND_MS;

/**
 * How many beats may be missing before it is a restored backup. A failover loses seconds: a master that froze, or that a
 * network cut off, counts two or three beats more before it learns that it was replaced. So half a minute is enough.
 * @internal
 */
export const MAX_LOST_BEATS = (30 * SECOND_MS) / BEAT_MS;

/** The least count at which a ledger is no older than a failover makes it. */
export function leastCount(last: LedgerSight): number {
  return last.count - MAX_LOST_BEATS;
}

/** Clocks of enqueuers and of Redis may differ by so much. */
export const CLOCK_MARGIN_MS = MINUTE_MS;

/** `same`: goes on. `new`: another ledger, without anything of before. `went_back`: an older state of it. */
export type LedgerVerdict = 'same' | 'new' | 'went_back';

/** Whether a ledger is the one that was seen last, no older than a failover makes it. */
export function judgeLedger(last: LedgerSight | undefined, found: FoundLedger): LedgerVerdict {
  const { sight, acceptedIds, holdsJobsSince } = found;
  if (last === undefined) return sight === undefined ? 'new' : 'same';
  if (sight?.id === last.id) return sight.count < leastCount(last) ? 'went_back' : 'same';
  if (acceptedIds.includes(last.id)) return 'same';
  // A failover may also lose a mark that was begun seconds ago, as by the first worker of this version.
  if (sight === undefined && last.count <= MAX_LOST_BEATS) return 'new';
  // Emptied, or set up anew: everything in it began after we looked last.
  const holdsOlderJobs = holdsJobsSince !== undefined && holdsJobsSince < last.at - CLOCK_MARGIN_MS;
  return holdsOlderJobs ? 'went_back' : 'new';
}
