import { type SeededRandom, seededRandom } from '../chaos/seeded-random.ts';

export type Value = string | number | boolean;
/** The values that each factor can take. */
export type Factors = Readonly<Record<string, readonly Value[]>>;
/** One value for each factor. */
export type Combination = Readonly<Record<string, Value>>;

const CANDIDATES = 5;

/**
 * Combinations in which every value of each factor meets every value of every other one; the first ones cover the most.
 * Follows from the seed.
 *
 * @param costly factors that take their first value wherever another one would cover nothing new
 */
export function pairwise(factors: Factors, seed: number, costly: readonly string[] = []): Combination[] {
  const random = seededRandom(seed);
  const open = allPairs(factors);
  const combinations: Combination[] = [];
  while (open.size > 0) {
    const candidates = Array.from({ length: CANDIDATES }, () => candidate(factors, costly, open, random));
    const [best = {}] = candidates.sort((a, b) => gain(b, open) - gain(a, open));
    for (const pair of pairsOf(best)) open.delete(pair);
    combinations.push(best);
  }
  return combinations;
}

/** All pairs of values of two factors. */
export function allPairs(factors: Factors): Set<string> {
  const entries = Object.entries(factors);
  return new Set(
    entries.flatMap(([a, ofA], index) =>
      entries
        .slice(index + 1)
        .flatMap(([b, ofB]) => ofA.flatMap((one) => ofB.map((other) => pairOf(a, one, b, other)))),
    ),
  );
}

/** The pairs of values that a combination holds. */
export function pairsOf(combination: Combination): string[] {
  const entries = Object.entries(combination);
  return entries.flatMap(([a, one], index) => entries.slice(index + 1).map(([b, other]) => pairOf(a, one, b, other)));
}

function pairOf(a: string, one: Value, b: string, other: Value): string {
  const [first, second] = [`${a}=${one}`, `${b}=${other}`].sort();
  return `${first}, ${second}`;
}

function gain(combination: Combination, open: ReadonlySet<string>): number {
  return pairsOf(combination).filter((pair) => open.has(pair)).length;
}

/** Begins with a pair that is open, then gives each other factor the value that covers the most. */
function candidate(
  factors: Factors,
  costly: readonly string[],
  open: ReadonlySet<string>,
  random: SeededRandom,
): Combination {
  const chosen = new Map<string, Value>();
  const seedPair = [...open][random.int(0, open.size - 1)] ?? '';
  for (const [name, values] of Object.entries(factors)) {
    for (const value of values) if (seedPair.split(', ').includes(`${name}=${value}`)) chosen.set(name, value);
  }
  for (const [name, values] of shuffled(Object.entries(factors), random)) {
    if (chosen.has(name)) continue;
    const gains = values.map(
      (value) => [...chosen].filter(([other, theirs]) => open.has(pairOf(name, value, other, theirs))).length,
    );
    const most = Math.max(...gains);
    const best = values.filter((_, index) => gains[index] === most);
    const [value] = most === 0 && costly.includes(name) ? values : shuffled(best, random);
    if (value !== undefined) chosen.set(name, value);
  }
  return Object.fromEntries(Object.keys(factors).map((name) => [name, chosen.get(name) ?? '']));
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const keyed = items.map((item) => ({ item, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
