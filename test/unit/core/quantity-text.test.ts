import { describe, expect, it } from 'vitest';
import { bytesText, durationText, exactDurationText, partOfText, timeText } from '../../../src/core/quantity-text.ts';

describe('quantities for people', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1_500, '1.5 kB'],
    [48_000_000, '48.0 MB'],
    [4_000_000_000, '4000.0 MB'],
  ])('%d bytes read as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [3_210, '3.2 s'],
    [42_000, '42 s'],
    [240_000, '4 min'],
    [7_200_000, '2 h'],
    [432_000_000, '5 d'],
  ])('%d ms read as %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });

  it('a part of a size shares its unit', () => {
    expect(partOfText(12_500_000, 48_000_000)).toBe('12.5 of 48.0 MB');
  });

  it('a time reads without its milliseconds', () => {
    expect(timeText('2026-11-22T14:03:07.123Z')).toBe('2026-11-22 14:03:07Z');
  });
});

it.each([
  [5_400_000, '1 h 30 min'],
  [172_800_000, '2 d'],
  [90_500, '1 min 30.5 s'],
  [500, '0.5 s'],
  [0, '0 s'],
])('a duration of %d ms is %s with nothing left out', (durationMs, text) => {
  expect(exactDurationText(durationMs)).toBe(text);
});
