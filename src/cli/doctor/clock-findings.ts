import { durationText } from '../../core/quantity-text.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { measureClockAheadMs } from '../../redis/server-facts.ts';
import type { Finding } from './finding.ts';

/** Another clock, and from which difference on it matters. */
interface OtherClock {
  readonly name: string;
  readonly adviceFromMs: number;
  readonly problemFromMs: number;
  readonly harm: string;
  readonly fix: string;
}

/** Reservations of TikTok's calls and delays are computed with both clocks. */
const CLOCK_OF_REDIS: OtherClock = {
  name: 'Redis',
  adviceFromMs: SECOND_MS,
  problemFromMs: 5 * SECOND_MS,
  harm: 'delays, rate limits and token expiry are calculated incorrectly',
  fix: 'Synchronize the clocks of both machines by NTP (chrony, systemd-timesyncd).',
};

/** Told to the second only. Who receives our callbacks refuses those signed more than five minutes ago (Standard Webhooks). */
const CLOCK_OF_TIKTOK: OtherClock = {
  name: 'TikTok',
  adviceFromMs: 10 * SECOND_MS,
  problemFromMs: MINUTE_MS,
  harm: 'scheduled posts start at the wrong time, and receivers may reject callbacks as too old',
  fix: 'Synchronize the clock of this machine by NTP (chrony, systemd-timesyncd).',
};

/** Whether our clock and that of Redis agree. @param now ms since the epoch, by our clock */
export async function redisClockFindings(redis: RedisClient, now: () => number): Promise<Finding[]> {
  return [compare(await measureClockAheadMs(redis, now), CLOCK_OF_REDIS)];
}

/** Whether our clock and that of TikTok agree. @param aheadMs how far theirs is ahead of ours */
export function tiktokClockFinding(aheadMs: number): Finding {
  return compare(aheadMs, CLOCK_OF_TIKTOK);
}

function compare(aheadMs: number, { name, adviceFromMs, problemFromMs, harm, fix }: OtherClock): Finding {
  const differenceMs = Math.abs(aheadMs);
  if (differenceMs < adviceFromMs)
    return { check: 'clock', level: 'ok', message: `the clocks of this machine and of ${name} agree` };
  const direction = aheadMs > 0 ? 'behind' : 'ahead of';
  const message = `the clock of this machine is ${durationText(differenceMs)} ${direction} that of ${name}: ${harm}`;
  return { check: 'clock', level: differenceMs < problemFromMs ? 'advice' : 'problem', message, fix };
}
