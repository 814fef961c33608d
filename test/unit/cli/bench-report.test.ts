import { describe, expect, it } from 'vitest';
import { limitOf } from '../../../src/cli/bench/cpu-use.ts';

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
