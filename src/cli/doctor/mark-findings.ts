import { judgeLedger } from '../../core/ledger-sight.ts';
import type { Foundation } from '../../foundation/foundation.ts';
import { createLedgerMark } from '../../ledger/ledger-mark.ts';
import { createSightFile } from '../../ledger/sight-file.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { describeDoubt, WAY_OUT } from '../../workers/ledger-guard.ts';
import type { Finding } from './finding.ts';

/** Whether Redis was set back to an older state, by what workers say and by what this machine saw last. */
export async function markFindings(redis: RedisClient, { keys, config, ledgerName }: Foundation): Promise<Finding[]> {
  const found = await createLedgerMark({ redis, keys }).read();
  const file = ledgerName === undefined ? undefined : createSightFile({ dataDir: config.dataDir, ledgerName });
  const seen = await file?.read();
  const own = seen !== undefined && judgeLedger(seen, found) === 'went_back' ? [{ seen, found: found.sight }] : [];
  const [doubt] = [...found.doubts, ...own];
  if (doubt === undefined) return [];
  return [{ check: 'redis', level: 'problem', message: describeDoubt(doubt.seen, doubt.found), fix: WAY_OUT }];
}
