import { createLanes } from '../lanes/lanes.ts';
import { wakeLane } from '../lanes/wake-jobs.ts';
import { createLedger } from '../ledger/ledger.ts';
import type { Queues } from '../queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/**
 * Lets the jobs go on that waited for an account to be connected or resumed.
 * @param names what requests may have called the account: its name and its open_id
 */
export async function wakeAccount(
  names: readonly string[],
  { redis, keys, queues }: { readonly redis: RedisClient; readonly keys: Keys; readonly queues: Queues },
): Promise<void> {
  const lanes = createLanes({ redis, keys, clock: Date });
  const ledger = createLedger({ redis, keys, clock: Date });
  for (const account of new Set(names)) await wakeLane(account, { lanes, ledger, queues });
}
