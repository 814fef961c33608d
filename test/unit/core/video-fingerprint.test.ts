import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_VIDEO_BYTES } from '../../../src/core/chunk-plan.ts';
import { FINGERPRINT_BYTES, fingerprintRanges } from '../../../src/core/video-fingerprint.ts';

describe('fingerprintRanges', () => {
  it('covers a small video whole', () => {
    expect(fingerprintRanges(1_000)).toEqual([{ startByte: 0, endByteExclusive: 1_000 }]);
    expect(fingerprintRanges(FINGERPRINT_BYTES)).toEqual([{ startByte: 0, endByteExclusive: FINGERPRINT_BYTES }]);
  });

  it('takes of every larger one its beginning, its end and equal steps between, within 4 MiB', () => {
    fc.assert(
      fc.property(fc.integer({ min: FINGERPRINT_BYTES + 1, max: MAX_VIDEO_BYTES }), (sizeBytes) => {
        const ranges = fingerprintRanges(sizeBytes);
        const lengths = ranges.map(({ startByte, endByteExclusive }) => endByteExclusive - startByte);
        const starts = ranges.map(({ startByte }) => startByte);
        const steps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
        expect(lengths.reduce((sum, length) => sum + length)).toBe(FINGERPRINT_BYTES);
        expect(starts[0]).toBe(0);
        expect(ranges.at(-1)?.endByteExclusive).toBe(sizeBytes);
        expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
        expect(Math.min(...steps)).toBeGreaterThanOrEqual(FINGERPRINT_BYTES / 8);
      }),
    );
  });
});
