/** How many levels of objects and lists a request may have; Redis reads a thousand, and recursion some more. */
export const MAX_REQUEST_DEPTH = 32;

/** Whether a value has more levels of objects and lists than a request may have. Does not recurse. */
export function isTooDeep(value: unknown): boolean {
  // A set: what refers to itself must not grow from level to level.
  let level = new Set([value]);
  for (let depth = 0; depth <= MAX_REQUEST_DEPTH; depth += 1) {
    const inner = [...level].flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
    if (inner.length === 0) return false;
    level = new Set(inner);
  }
  return true;
}
