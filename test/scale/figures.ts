import { percentile } from '../../src/core/percentile.ts';

/** Median, 99th percentile and maximum, for people. */
export function spreadText(numbers: readonly number[]): string {
  return `p50 ${percentile(numbers, 0.5)} ms, p99 ${percentile(numbers, 0.99)} ms, max ${Math.max(...numbers)} ms (n=${numbers.length})`;
}

/** How many of the numbers have each value, for people: `1: 40, 2: 3`. */
export function histogramText(numbers: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, count]) => `${value}: ${count}`)
    .join(', ');
}

/** Jain's fairness index: 1 when all shares are equal, 1/n when one has everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share ** 2, 0);
  return sum ** 2 / (shares.length * squares);
}
