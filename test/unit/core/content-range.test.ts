import { describe, expect, it } from 'vitest';
import { formatContentRange, parseAnsweredRange, parseUploadReport } from '../../../src/core/content-range.ts';

describe('formatContentRange', () => {
  it('includes the last byte, as HTTP does', () => {
    expect(formatContentRange(0, 10_000_000, 50_000_123)).toBe('bytes 0-9999999/50000123');
    expect(formatContentRange(40_000_000, 50_000_123, 50_000_123)).toBe('bytes 40000000-50000122/50000123');
  });
});

describe('parseUploadReport', () => {
  it('reads how far TikTok is', () => {
    expect(parseUploadReport('bytes 0-9999999/50000123')).toEqual({ reportedBytes: 9_999_999, totalBytes: 50_000_123 });
    expect(parseUploadReport(' Bytes 0-0/1 ')).toEqual({ reportedBytes: 0, totalBytes: 1 });
  });

  it.each([
    undefined,
    '',
    'bytes */50000123',
    'bytes 10-20/50',
    'bytes 0-1/*',
    '0-1/2',
    'bytes 0-99999999999999999999/1',
  ])('reads nothing from %j', (header) => {
    expect(parseUploadReport(header)).toBeUndefined();
  });
});

describe('the range of a 206', () => {
  it('is half-open and knows the whole length', () => {
    expect(parseAnsweredRange('bytes 0-9/10')).toEqual({ startByte: 0, endByteExclusive: 10, totalBytes: 10 });
    expect(parseAnsweredRange(' BYTES 5-5/4000000000 ')).toMatchObject({ startByte: 5, endByteExclusive: 6 });
  });

  it.each(['bytes=0-9/10', 'bytes: 0-9/10', '0-9/10', 'bytes  0 - 9 / 10'])(
    'is read as curl reads it: %s',
    (header) => {
      expect(parseAnsweredRange(header)).toEqual({ startByte: 0, endByteExclusive: 10, totalBytes: 10 });
    },
  );

  it.each([
    ...[undefined, '', 'bytes 0-9/*', 'bytes */10', 'bytes 0-10/10', 'bytes 6-5/10', 'items 0-9/10'],
    ...['bytes 0-9/10, bytes 0-9/10', 'bytes -1-9/10', 'bytes 0x0-9/10', 'bytes 0-9/1e9'],
  ])('is none where it says something else: %s', (header) => {
    expect(parseAnsweredRange(header)).toBeUndefined();
  });
});
