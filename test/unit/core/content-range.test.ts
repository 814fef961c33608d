import { describe, expect, it } from 'vitest';
import { formatContentRange, parseUploadReport } from '../../../src/core/content-range.ts';

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
