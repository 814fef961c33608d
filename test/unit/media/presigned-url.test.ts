import { describe, expect, it } from 'vitest';
import { expiryOfPresignedUrl, saysExpired } from '../../../src/media/presigned-url.ts';

const expiryOf = (query: string): number | undefined =>
  expiryOfPresignedUrl(new URL(`https://media.example.com/a.mp4?${query}`));
const NOON = Date.parse('2026-11-22T12:00:00Z');
const ONE_HOUR_MS = 3_600_000;

describe('the end of a presigned URL', () => {
  it.each([
    ['S3, R2, MinIO (SigV4)', 'X-Amz-Date=20261122T120000Z&X-Amz-Expires=3600&X-Amz-Signature=a', NOON + ONE_HOUR_MS],
    ['Google Cloud Storage', 'X-Goog-Date=20261122T120000Z&X-Goog-Expires=60&X-Goog-Signature=a', NOON + 60_000],
    ['in small letters', 'x-amz-date=20261122T120000Z&x-amz-expires=0', NOON],
    ['S3 (SigV2) and CloudFront', `Expires=${NOON / 1_000}&Signature=a`, NOON],
    ['Azure', 'se=2026-11-22T12%3A00%3A00Z&sig=a', NOON],
  ])('is read as %s writes it', (_vendor, query, expiry) => {
    expect(expiryOf(query)).toBe(expiry);
  });

  it.each([
    '',
    'a=b',
    'Expires=soon',
    'Expires=7',
    'se=2026-11-22',
    'X-Amz-Date=now&X-Amz-Expires=60',
    'X-Amz-Expires=60',
  ])('is unknown where a URL says none: "%s"', (query) => {
    expect(expiryOf(query)).toBeUndefined();
  });
});

describe('the text of a refusal', () => {
  it.each([
    '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
    '<Error><Code>ExpiredToken</Code></Error>',
    '<AuthenticationErrorDetail>Signature not valid in the specified time frame</AuthenticationErrorDetail>',
  ])('that names the time is told from others: %s', (text) => {
    expect(saysExpired(text)).toBe(true);
  });

  it.each(['', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'])(
    'that names no time is none: "%s"',
    (text) => {
      expect(saysExpired(text)).toBe(false);
    },
  );
});
