import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from '../../../src/core/byte-range.ts';

const range = (startByte: number, endByteExclusive: number) => ({ startByte, endByteExclusive });

describe('the Range of a request', () => {
  it.each([
    ['bytes=0-4095', range(0, 4_096)],
    ['bytes=0-0', range(0, 1)],
    ['bytes=9999-', range(9_999, 10_000)],
    ['bytes=-500', range(9_500, 10_000)],
    ['bytes=-20000', range(0, 10_000)],
    ['bytes=5000-99999', range(5_000, 10_000)],
    ['BYTES= 1-2 ', range(1, 3)],
    ['bytes=10000-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    // A server may ignore what it does not know (RFC 9110, 14.2).
    ['bytes=-', undefined],
    ['bytes=5-4', undefined],
    ['bytes=0-1,5-6', undefined],
    ['items=0-1', undefined],
    ['bytes=0x0-1', undefined],
    [undefined, undefined],
  ])('%s of 10,000 bytes', (header, expected) => {
    expect(parseRange(header, 10_000)).toEqual(expected);
  });

  it('is always within the file, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 15 }), (first, last, sizeBytes) => {
        const found = parseRange(`bytes=${first}-${last}`, sizeBytes);
        if (found === undefined) return last < first;
        if (found === 'unsatisfiable') return first >= sizeBytes;
        return found.startByte === first && found.endByteExclusive === Math.min(last + 1, sizeBytes);
      }),
    );
  });
});
