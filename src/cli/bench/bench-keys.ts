import { randomBytes } from 'node:crypto';
import { HOUR_MS } from '../../core/units.ts';
import { forgetKeys } from '../../redis/forget-keys.ts';
import { createKeys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';

/** Longer than any run. */
const LEFT_BEHIND_AFTER_MS = HOUR_MS;
const TIME_BASE = 36;

/**
 * A queue prefix for one run, below that of the settings: the same permissions hold for it, and a cluster has it on the
 * same node. It begins with the time, by which a later run knows what was left behind.
 */
export function newBenchPrefix(queuePrefix: string, now: number): string {
  return createKeys(queuePrefix).benchRun(`${now.toString(TIME_BASE)}-${randomBytes(4).toString('hex')}`);
}

/** Deletes what runs that were killed left behind. @returns how many keys */
export async function forgetLeftBehind(redis: RedisClient, queuePrefix: string, now: number): Promise<number> {
  const start = createKeys(queuePrefix).benchRun('');
  return await forgetKeys(redis, start, (key) => {
    const [time = ''] = key.slice(start.length).split('-', 1);
    return Number.parseInt(time, TIME_BASE) < now - LEFT_BEHIND_AFTER_MS;
  });
}
