import { MINUTE_MS, SECOND_MS } from './units.ts';

/** What one look at the ledger's version showed. */
export interface LedgerVersion {
  /** Made once, at random, when the ledger began. */
  readonly id: string;
  /** How many heartbeats the ledger has counted; it only grows. */
  readonly count: number;
  /** When it counted the last one, by the clock of Redis (ms since the epoch). For people, and to tell old jobs. */
  readonly at: number;
}

/** What is found now, to be held against an earlier version. */
export interface FoundLedger {
  /** Undefined where the ledger has no version. */
  readonly version: LedgerVersion | undefined;
  /** Since when it has jobs (ms since the epoch): by the clock of Redis, if its events tell. Undefined without jobs. */
  readonly holdsJobsSince: number | undefined;
  /** Ids of ledgers for which a person accepted this one. */
  readonly acceptedIds: readonly string[];
}

/** How often a ledger that workers look at counts a heartbeat. The count is compared, so clocks that jump do no harm. */
export const LEDGER_HEARTBEAT_MS = 5 * SECOND_MS;

/**
 * How many heartbeats may be missing before it is a restored backup. A failover loses seconds: a master that froze, or
 * that a network cut off, counts two or three heartbeats more before it learns that it was replaced. So half a minute
 * is enough.
 * @internal
 */
export const MAX_LOST_HEARTBEATS = (30 * SECOND_MS) / LEDGER_HEARTBEAT_MS;

/** The least count at which a ledger is no older than a failover makes it. */
export function leastCount(last: LedgerVersion): number {
  return last.count - MAX_LOST_HEARTBEATS;
}

/** Clocks of enqueuers and of Redis may differ by so much. */
export const CLOCK_MARGIN_MS = MINUTE_MS;

/** `same`: goes on. `new`: another ledger, without anything of before. `went_back`: an older state of it. */
export type LedgerVerdict = 'same' | 'new' | 'went_back';

/** Whether a ledger is the one that was seen last, no older than a failover makes it. */
export function judgeLedger(last: LedgerVersion | undefined, found: FoundLedger): LedgerVerdict {
  const { version, acceptedIds, holdsJobsSince } = found;
  if (last === undefined) return version === undefined ? 'new' : 'same';
  if (version?.id === last.id) return version.count < leastCount(last) ? 'went_back' : 'same';
  if (acceptedIds.includes(last.id)) return 'same';
  // A failover may also lose a version that was begun seconds ago, as by the first worker after an upgrade.
  if (version === undefined && last.count <= MAX_LOST_HEARTBEATS) return 'new';
  // Emptied or new: everything in it began after our last look.
  const holdsOlderJobs = holdsJobsSince !== undefined && holdsJobsSince < last.at - CLOCK_MARGIN_MS;
  return holdsOlderJobs ? 'went_back' : 'new';
}
