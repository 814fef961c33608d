import { expect, it } from 'vitest';
import { percentile } from '../../../src/core/percentile.ts';

it('a percentile is the least value that so many do not exceed', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect([0.005, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 100, 198, 200]);
  expect(percentile([2.7], 0.99)).toBe(2.7);
});

it('there is no percentile without values', () => {
  expect(percentile([], 0.5)).toBeNaN();
});
