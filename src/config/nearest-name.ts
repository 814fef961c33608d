/** Fewer common letters than this make no suggestion, but a guess. */
const LEAST_LIKENESS = 0.4;

/** The name that was probably meant; undefined where none is like it. */
export function nearestName<Name extends string>(wrong: string, names: readonly Name[]): Name | undefined {
  const word = wrong.toUpperCase();
  const [nearest] = names
    .map((name) => ({ name, likeness: 1 - editDistance(word, name) / Math.max(word.length, name.length) }))
    .filter(({ likeness }) => likeness >= LEAST_LIKENESS)
    .toSorted((one, other) => other.likeness - one.likeness);
  return nearest?.name;
}

/** Letters to insert, delete or replace (Levenshtein). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
