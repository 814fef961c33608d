/** One line of the table. */
export interface Row {
  /** Names the row over time, such as `publish.roundTrips`. */
  readonly id: string;
  /** What people read. */
  readonly what: string;
  readonly unit: string;
  /** One value a run. */
  readonly product: readonly number[];
  /** The same of the baseline, run in between. */
  readonly baseline?: { readonly name: string; readonly values: readonly number[] };
  readonly target?: Target | undefined;
}

/** The ratio product / baseline, or the value itself where there is no baseline. */
type Target = { readonly atMost: number } | { readonly atLeast: number };

interface Lab {
  /** Longer, with more runs. */
  readonly full: boolean;
  /** By what the sizes of the benchmarks of big numbers are multiplied. */
  readonly scale: number;
  readonly note: (text: string) => void;
}

export interface Benchmark {
  readonly name: string;
  run(lab: Lab): Promise<readonly Row[]>;
}

/** The middle value; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[Math.floor(index)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}

/** The ratio to the baseline; the median where there is none. */
export function figureOf({ product, baseline }: Pick<Row, 'product' | 'baseline'>): number {
  return baseline === undefined ? median(product) : median(product) / median(baseline.values);
}

export function isMet(row: Row): boolean | undefined {
  const { target } = row;
  if (target === undefined) return undefined;
  const figure = figureOf(row);
  return 'atMost' in target ? figure <= target.atMost : figure >= target.atLeast;
}

/** Runs sides in turn, so that what else the machine does meets both. @returns each side's results, in order */
export async function interleave<Side extends string, Result>(
  times: number,
  sides: Readonly<Record<Side, () => Promise<Result>>>,
): Promise<Record<Side, Result[]>> {
  const names = Object.keys(sides) as Side[];
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Side, Result[]>;
  for (let turn = 0; turn < times; turn += 1) {
    for (const name of names) results[name].push(await sides[name]());
  }
  return results;
}
