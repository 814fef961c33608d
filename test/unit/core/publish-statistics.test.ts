import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countersOf,
  DURATION_EDGES_MS,
  outcomesOf,
  quantileMs,
  sumStatistics,
  toStatistics,
} from '../../../src/core/publish-statistics.ts';

const durationMs = fc.integer({ min: 0, max: 86_400_000 });
const end = fc.record({
  state: fc.constantFrom('published', 'in_inbox', 'failed', 'unconfirmed'),
  tookMs: durationMs,
  lateMs: fc.option(durationMs, { nil: undefined }),
});

/** Counters as Redis answers them. */
function countAll(ends: readonly Parameters<typeof countersOf>[0][]): Record<string, string> {
  const counters: Record<string, string> = {};
  for (const name of ends.flatMap(countersOf)) counters[name] = String(Number(counters[name] ?? 0) + 1);
  return counters;
}

describe('statistics of publishes', () => {
  it('count each outcome once, and durations of successes only, however they are split over buckets', () => {
    fc.assert(
      fc.property(fc.array(end), fc.nat(), (ends, split) => {
        const parts = [ends.slice(0, split), ends.slice(split)].map((part) => toStatistics(countAll(part)));
        const all = sumStatistics(parts);
        const good = ends.filter(({ state }) => state === 'published' || state === 'in_inbox');
        expect(all).toEqual(toStatistics(countAll(ends)));
        expect(outcomesOf(all)).toEqual({ good: good.length, bad: ends.length - good.length });
        expect(all.took.reduce((sum, count) => sum + count, 0)).toBe(good.length);
        expect(all.late.reduce((sum, count) => sum + count, 0)).toBe(
          good.filter(({ lateMs }) => lateMs !== undefined).length,
        );
      }),
    );
  });

  it('tell quantiles within the bucket that holds them', () => {
    fc.assert(
      fc.property(
        fc.array(durationMs, { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, share) => {
          const { took } = toStatistics(
            countAll(all.map((tookMs) => ({ state: 'published', tookMs, lateMs: undefined }))),
          );
          const told = quantileMs(took, share) ?? Number.NaN;
          const exact =
            all.toSorted((one, other) => one - other)[Math.ceil(all.length * share - 1e-9) - 1] ?? Number.NaN;
          const bucket = DURATION_EDGES_MS.findIndex((edge) => exact <= edge);
          expect(told).toBeGreaterThanOrEqual(DURATION_EDGES_MS[bucket - 1] ?? 0);
          expect(told).toBeLessThanOrEqual(DURATION_EDGES_MS[bucket] ?? Number.NaN);
        },
      ),
    );
  });

  it('tell nothing where nothing ended, and the last edge for what took longer', () => {
    expect(quantileMs(toStatistics({}).took, 0.5)).toBeUndefined();
    expect(quantileMs(toStatistics({ 'took:15': '1' }).took, 0.5)).toBe(DURATION_EDGES_MS.at(-1));
  });

  it('take counters of another version for nothing', () => {
    expect(outcomesOf(toStatistics({ published: 'many', 'took:99': '1', gone: '3' }))).toEqual({ good: 0, bad: 0 });
  });
});
