import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEVEN_TRIES_IN_A_DAY, endpointOf, nextDelivery, shouldPause } from '../../../src/core/callback-schedule.ts';
import { DAY_MS, HOUR_MS } from '../../../src/core/units.ts';

describe('the schedule of deliveries', () => {
  it('lasts about a day', () => {
    const delays = Array.from({ length: 10 }, (_, index) => nextDelivery(index + 1, { random: () => 0.5 }));
    expect(delays.map((next) => (next.kind === 'retry' ? next.delayMs / 1_000 : undefined))).toEqual([
      5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800,
    ]);
    expect(nextDelivery(11, { random: () => 0.5 })).toEqual({ kind: 'give_up' });
    const total = ELEVEN_TRIES_IN_A_DAY.delaysMs.reduce((sum, delayMs) => sum + delayMs, 0);
    expect(Math.abs(total - DAY_MS)).toBeLessThan(HOUR_MS);
  });

  it('varies each pause by a fifth, and never comes before Retry-After', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: DAY_MS }),
        (attempt, chance, retryAfterMs) => {
          const pauseMs = ELEVEN_TRIES_IN_A_DAY.delaysMs[attempt - 1] ?? 0;
          const free = nextDelivery(attempt, { random: () => chance });
          expect(free.kind === 'retry' && free.delayMs >= pauseMs * 0.8 - 1 && free.delayMs <= pauseMs * 1.2 + 1).toBe(
            true,
          );
          const asked = nextDelivery(attempt, { random: () => chance, retryAfterMs });
          expect(asked.kind === 'retry' && asked.delayMs >= retryAfterMs).toBe(true);
        },
      ),
    );
  });
});

describe('the pause of an endpoint', () => {
  it('takes twenty failures in a row and an hour', () => {
    const since = { failures: 20, firstFailureAt: 0 };
    expect(shouldPause(since, HOUR_MS)).toBe(true);
    expect(shouldPause(since, HOUR_MS - 1)).toBe(false);
    expect(shouldPause({ ...since, failures: 19 }, DAY_MS)).toBe(false);
  });

  it('is known by origin and path, without the query', () => {
    expect(endpointOf('https://example.com:8443/hook?token=secret#x')).toBe('https://example.com:8443/hook');
  });
});
