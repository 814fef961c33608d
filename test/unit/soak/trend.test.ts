import { describe, expect, it } from 'vitest';
import { floorsOf, trendOf } from '../../soak/trend.ts';

describe('a trend', () => {
  it('of numbers that grow evenly is their growth, without noise', () => {
    const { growth, noise, mean } = trendOf([10, 12, 14, 16]);
    expect({ growth, mean }).toEqual({ growth: 6, mean: 13 });
    expect(noise).toBeCloseTo(0);
  });

  it('of numbers that only jump is less than their noise', () => {
    const { growth, noise } = trendOf([10, 14, 9, 15, 10, 13, 11, 14, 10]);
    expect(Math.abs(growth)).toBeLessThan(noise);
  });

  it('is refused for too few numbers', () => {
    expect(() => trendOf([1, 2])).toThrow(RangeError);
  });
});

it('a floor is the least of each part', () => {
  expect(floorsOf([3, 1, 2, 9, 8, 7], 2)).toEqual([1, 7]);
});
