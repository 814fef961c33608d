/**
 * Counts events per key in a sliding window: "limits are enforced over a one-minute sliding window"
 * (developers.tiktok.com/doc/tiktok-api-v2-rate-limit, read 2026-11-22).
 */
export class SlidingWindow {
  readonly #windowMs: number;
  readonly #instants = new Map<string, number[]>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** How many events of `key` lie within the window that ends at `now`. */
  count(key: string, now: number): number {
    return this.#recent(key, now).length;
  }

  /** Adds one event of `key`. */
  add(key: string, now: number): void {
    this.#recent(key, now).push(now);
  }

  /** Ms from `now` until fewer than `limit` events of `key` are in the window. */
  freeInMs(key: string, limit: number, now: number): number {
    const recent = this.#recent(key, now);
    const blocking = recent[recent.length - limit];
    return blocking === undefined ? 0 : blocking + this.#windowMs - now;
  }

  clear(): void {
    this.#instants.clear();
  }

  #recent(key: string, now: number): number[] {
    const instants = this.#instants.get(key) ?? [];
    this.#instants.set(key, instants);
    while ((instants[0] ?? now) <= now - this.#windowMs) instants.shift();
    return instants;
  }
}

/** The largest number of `instants` (in ms, of any order) within any window of `windowMs`. */
export function peakWithin(instants: readonly number[], windowMs: number): number {
  const ascending = [...instants].sort((a, b) => a - b);
  let first = 0;
  let peak = 0;
  for (const [index, instant] of ascending.entries()) {
    while ((ascending[first] ?? instant) <= instant - windowMs) first++;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}
