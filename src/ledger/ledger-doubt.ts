import { judgeLedger, type LedgerSight } from '../core/ledger-sight.ts';
import type { Doubt, FoundMark } from './ledger-mark.ts';

/** What a person does about a doubt. */
export const WAY_OUT =
  'Workers take no jobs until you restore newer data or run `tiktok-publisher ledger accept`, which first shows what it would change.';

/** What is doubtful about a ledger by what was seen of it last. */
export function ownDoubt(seen: LedgerSight | undefined, found: FoundMark): Pick<Doubt, 'seen' | 'found'> | undefined {
  if (seen === undefined || judgeLedger(seen, found) !== 'went_back') return undefined;
  return { seen, found: found.sight };
}

/** What happened, human-readable. */
export function describeDoubt({ seen, found }: Pick<Doubt, 'seen' | 'found'>): string {
  const state = found === undefined ? 'a state from before the first ledger mark' : sightText(found);
  return `Redis was restored to an older state: workers last saw ${sightText(seen)}, but Redis now has ${state}`;
}

function sightText({ id, count, at }: LedgerSight): string {
  return `beat ${count} of ledger ${id.slice(0, 8)}, of ${new Date(at).toISOString()}`;
}
