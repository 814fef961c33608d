import { createLanes } from '../lanes/lanes.ts';
import { wakeLane } from '../lanes/wake-jobs.ts';
import { createLedger } from '../ledger/ledger.ts';
import type { Queues } from '../queues/queues.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

/**
 * Lets the jobs go on that waited for an account to be connected or resumed.
 * @param names what requests may have called the account: its name and its open_id
 * @param deps `laneLimit`: uploads of one account at a time, the same as in the workers
 */
export async function wakeAccount(
  names: readonly string[],
  deps: { readonly redis: RedisClient; readonly keys: Keys; readonly queues: Queues; readonly laneLimit: number },
): Promise<void> {
  const { redis, keys, queues, laneLimit } = deps;
  const lanes = createLanes({ redis, keys, clock: Date, limit: laneLimit });
  const ledger = createLedger({ redis, keys, clock: Date, laneLimit });
  for (const account of new Set(names)) await wakeLane(account, { lanes, ledger, queues });
}
