import { describe, expect, it } from 'vitest';
import { percentile } from '../../../src/cli/bench/bench-report.ts';
import { limitOf } from '../../../src/cli/bench/cpu-use.ts';

describe('a percentile of the benchmark', () => {
  it('is the least value that so many do not exceed', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile([2.7083], 0.99)).toBe(2.71);
  });

  it('is null without values', () => {
    expect(percentile([], 0.5)).toBeNull();
  });
});

describe('what limited the benchmark', () => {
  const idle = { process: 0.2, redis: 0.2, machine: 0.5, cores: 4 };

  it('is what was busy, Redis first', () => {
    expect(limitOf({ ...idle, redis: 0.95, process: 0.95 })).toBe('redis');
    expect(limitOf({ ...idle, redis: null, process: 0.95 })).toBe('process');
    expect(limitOf({ ...idle, machine: 3.9 })).toBe('machine');
  });

  it('is waiting if nothing was', () => {
    expect(limitOf(idle)).toBe('waiting');
  });
});
