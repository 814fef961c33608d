import { describe, expect, it } from 'vitest';
import { switchesSchema } from '../../../src/simulator/options.ts';
import { FACTORS, QUICK, readCombination } from '../../fidelity/factors.ts';
import { allPairs, pairsOf, pairwise } from '../../fidelity/pairwise.ts';

describe('the combinations of the fidelity run', () => {
  it('hold every value of each factor with every value of every other one', () => {
    const combinations = pairwise(FACTORS, 7, Object.keys(QUICK));
    const covered = new Set(combinations.flatMap(pairsOf));
    expect([...allPairs(FACTORS)].filter((pair) => !covered.has(pair))).toEqual([]);
    // As many as the two largest factors want, and a few more.
    expect(combinations.length).toBeLessThan(160);
    for (const combination of combinations) expect(() => readCombination(combination)).not.toThrow();
  });

  it('cover every switch of the simulator, each with more than its default', () => {
    const first = Object.fromEntries(Object.entries(FACTORS).map(([name, [value = '']]) => [name, value]));
    const { switches } = readCombination(first);
    expect(Object.keys(switches)).toEqual(Object.keys(switchesSchema.shape));
    const defaults = Object.entries(switchesSchema.parse({}));
    for (const [name, value] of defaults) {
      expect(FACTORS[name], name).toContain(value);
      expect(FACTORS[name]?.length, name).toBeGreaterThan(1);
    }
  });

  it('follow from the seed', () => {
    const small = { a: [1, 2, 3], b: ['x', 'y'], c: [true, false] };
    expect(pairwise(small, 5)).toEqual(pairwise(small, 5));
    expect(pairwise(small, 5)).not.toEqual(pairwise(small, 6));
  });

  it('leave a costly factor at its first value where another one covers nothing new', () => {
    const factors = { big: [1, 2, 3, 4, 5], other: [1, 2, 3, 4, 5], costly: ['cheap', 'dear'] };
    const dear = pairwise(factors, 3, ['costly']).filter(({ costly }) => costly === 'dear');
    expect(dear.length).toBeLessThan(10);
  });
});
