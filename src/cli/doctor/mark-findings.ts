import type { Foundation } from '../../foundation/foundation.ts';
import { describeDoubt, ownDoubt, WAY_OUT } from '../../ledger/ledger-doubt.ts';
import { createLedgerMark } from '../../ledger/ledger-mark.ts';
import { sightFileOf } from '../../ledger/sight-file.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { Finding } from './finding.ts';

/** Whether Redis was set back to an older state, by what workers say and by what this machine saw last. */
export async function markFindings(redis: RedisClient, foundation: Foundation): Promise<Finding[]> {
  const found = await createLedgerMark({ redis, keys: foundation.keys }).read();
  const doubt = found.doubts[0] ?? ownDoubt(await sightFileOf(foundation)?.read(), found);
  if (doubt === undefined) return [];
  return [{ check: 'redis', level: 'problem', message: describeDoubt(doubt), fix: WAY_OUT }];
}
