import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EIGHT_TRIES_IN_AN_HOUR, nextRetry } from '../../../src/core/retry-policy.ts';
import { HOUR_MS, SECOND_MS } from '../../../src/core/units.ts';

describe('nextRetry', () => {
  it('has eight tries within about an hour', () => {
    const longest = Array.from({ length: 8 }, (_, index) => nextRetry(index + 1, { random: () => 1 }));
    const delays = longest.map((next) => (next.kind === 'retry' ? next.delayMs / SECOND_MS : 'give up'));
    expect(delays).toEqual([5, 15, 45, 135, 405, 1_215, 1_800, 'give up']);
  });

  it('spreads a delay over its whole range', () => {
    expect(nextRetry(3, { random: () => 0 })).toEqual({ kind: 'retry', delayMs: 0 });
    expect(nextRetry(3, { random: () => 0.5 })).toEqual({ kind: 'retry', delayMs: 22_500 });
  });

  it('never comes before the time that an answer named', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), chance, fc.nat(HOUR_MS), (attempt, random, retryAfterMs) => {
        const next = nextRetry(attempt, { random: () => random, retryAfterMs });
        expect(next.kind === 'retry' && next.delayMs >= retryAfterMs).toBe(true);
      }),
    );
  });

  it('follows another policy', () => {
    const policy = { ...EIGHT_TRIES_IN_AN_HOUR, maxAttempts: 2, baseMs: 10 };
    expect(nextRetry(1, { random: () => 1 }, policy)).toEqual({ kind: 'retry', delayMs: 10 });
    expect(nextRetry(2, { random: () => 1 }, policy)).toEqual({ kind: 'give_up' });
  });
});
