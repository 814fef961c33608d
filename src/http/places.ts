/** A place was asked for, and too many wait for one. */
export const NO_PLACE = 'no place';

/**
 * Hands out a number of places in the order in which they are asked for.
 * @param count how many may be taken at once
 * @param maxWaiting how many may wait; who comes after them gets none
 */
export function createPlaces(count: number, maxWaiting: number) {
  const waiting: (() => void)[] = [];
  let free = count;

  function giveBack(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    /** @returns how to give the place back, which is done once */
    async take(): Promise<(() => void) | typeof NO_PLACE> {
      if (free > 0) free -= 1;
      else if (waiting.length >= maxWaiting) return NO_PLACE;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isTaken = true;
      return () => {
        if (isTaken) giveBack();
        isTaken = false;
      };
    },
  };
}
