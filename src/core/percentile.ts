/**
 * The least of the values that a share of all, such as 0.99, does not exceed; NaN where there are none.
 * @example percentile([3, 1, 2], 0.5); // 2
 */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}
