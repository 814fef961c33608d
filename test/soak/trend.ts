/** How numbers change over time. */
export interface Trend {
  /** Of the line through them: its end less its beginning. */
  readonly growth: number;
  /** What such a growth is worth: two standard errors, the 95 % confidence interval of many numbers. */
  readonly noise: number;
  readonly mean: number;
}

/** The line of least squares through numbers that were taken at equal distances. @throws RangeError for fewer than three */
export function trendOf(numbers: readonly number[]): Trend {
  const count = numbers.length;
  if (count < 3) throw new RangeError(`expected three numbers, got ${count}`);
  const middle = (count - 1) / 2;
  const mean = sumOf(numbers) / count;
  const spread = sumOf(numbers.map((_, at) => (at - middle) ** 2));
  const slope = sumOf(numbers.map((value, at) => (at - middle) * (value - mean))) / spread;
  const rest = sumOf(numbers.map((value, at) => (value - mean - slope * (at - middle)) ** 2));
  const error = Math.sqrt(rest / (count - 2) / spread);
  return { growth: slope * (count - 1), noise: 2 * error * (count - 1), mean };
}

/** The least of each of so many parts: what garbage collection leaves, without what waits for it. */
export function floorsOf(numbers: readonly number[], parts: number): number[] {
  const size = Math.floor(numbers.length / parts);
  return Array.from({ length: parts }, (_, part) => Math.min(...numbers.slice(part * size, (part + 1) * size)));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
