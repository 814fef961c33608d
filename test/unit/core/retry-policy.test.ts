import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../../src/core/error-table.ts';
import { EIGHT_TRIES_IN_AN_HOUR, nextRetry } from '../../../src/core/retry-policy.ts';
import { HOUR_MS, SECOND_MS } from '../../../src/core/units.ts';

const row = ERROR_TABLE.TRANSPORT_NO_ANSWER;

describe('nextRetry', () => {
  it('has eight tries within about an hour', () => {
    const longest = Array.from({ length: 8 }, (_, index) => nextRetry(row, index + 1, { random: () => 1 }));
    const delays = longest.map((next) => (next.kind === 'retry' ? next.delayMs / SECOND_MS : 'give up'));
    expect(delays).toEqual([5, 15, 45, 135, 405, 1_215, 1_800, 'give up']);
  });

  it('spreads a delay over its whole range', () => {
    expect(nextRetry(row, 3, { random: () => 0 })).toEqual({ kind: 'retry', delayMs: 0 });
    expect(nextRetry(row, 3, { random: () => 0.5 })).toEqual({ kind: 'retry', delayMs: 22_500 });
  });

  it('never comes before the time that an answer named', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), chance, fc.nat(HOUR_MS), (attempt, random, retryAfterMs) => {
        const next = nextRetry(row, attempt, { random: () => random, retryAfterMs });
        expect(next.kind === 'retry' && next.delayMs >= retryAfterMs).toBe(true);
      }),
    );
  });

  it('gives up at once where repeating cannot help', () => {
    for (const final of [ERROR_TABLE.TIKTOK_SPAM, ERROR_TABLE.TIKTOK_LOST_INIT]) {
      expect(nextRetry(final, 1, { random: () => 1 })).toEqual({ kind: 'give_up' });
    }
  });

  it('follows another policy', () => {
    const policy = { ...EIGHT_TRIES_IN_AN_HOUR, maxAttempts: 2, baseMs: 10 };
    expect(nextRetry(row, 1, { random: () => 1 }, policy)).toEqual({ kind: 'retry', delayMs: 10 });
    expect(nextRetry(row, 2, { random: () => 1 }, policy)).toEqual({ kind: 'give_up' });
  });
});
