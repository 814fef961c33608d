import { judgeLedger, type LedgerVersion } from '../core/ledger-version.ts';
import type { FoundVersion, RestoreNotice } from './version-store.ts';

export const WAY_OUT =
  'Workers take no jobs until you restore newer data or run `tiktok-publisher ledger accept`, which first shows what it would change.';

/** The notice about a ledger by what was last seen of it; undefined if nothing is wrong. */
export function ownNotice(
  seen: LedgerVersion | undefined,
  found: FoundVersion,
): Pick<RestoreNotice, 'seen' | 'found'> | undefined {
  if (seen === undefined || judgeLedger(seen, found) !== 'went_back') return undefined;
  return { seen, found: found.version };
}

/** What happened, human-readable. */
export function describeRestore({ seen, found }: Pick<RestoreNotice, 'seen' | 'found'>): string {
  const state = found === undefined ? 'a state from before the first ledger version' : versionText(found);
  return `Redis was restored to an older state: workers last saw ${versionText(seen)}, but Redis now has ${state}`;
}

function versionText({ id, count, at }: LedgerVersion): string {
  return `heartbeat ${count} of ledger ${id.slice(0, 8)}, of ${new Date(at).toISOString()}`;
}
