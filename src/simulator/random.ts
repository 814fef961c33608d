/**
 * A seeded stream of pseudo-random values (mulberry32). Each purpose has its own stream, so that, say, one more
 * status poll does not change the publish ids that follow.
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number, purpose: string) {
    this.#state = hashText(`${seed}:${purpose}`);
  }

  /** The next number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Text of `length` characters drawn from `alphabet`. */
  text(length: number, alphabet: string): string {
    let drawn = '';
    for (let index = 0; index < length; index++) {
      drawn += alphabet.charAt(Math.floor(this.next() * alphabet.length));
    }
    return drawn;
  }

  /**
   * Nineteen digits above 2^53 and below 2^63, always odd: a JSON parser that reads numbers as doubles cannot
   * represent such a value and visibly rounds it.
   */
  int64Digits(): string {
    return `7${this.text(17, '0123456789')}${this.text(1, '13579')}`;
  }
}

export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const UPPER_HEX = '0123456789ABCDEF';

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
