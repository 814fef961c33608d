import { type FetchedMedia, photosOf } from './media-route.ts';
import { sha256Hex } from './request-digest.ts';

/** What S3 and its kin, Google, CloudFront, Azure and Akamai put into a URL to sign it: another time, another value. */
const SIGNATURE_PREFIX = /^x-(amz|goog|oss|cos|obs)-/i;
const SIGNATURE_NAMES = [
  ...['expires', 'signature', 'awsaccesskeyid', 'googleaccessid', 'key-pair-id', 'policy'],
  ...['sig', 'se', 'st', 'sp', 'sv', 'sr', 'spr', 'sip', 'ske', 'skoid', 'sktid', 'sks', 'skt', 'skv'],
  ...['hdnts', 'hdnea', 'hdntl'],
];

/**
 * SHA-256 (hex) of where TikTok fetches media from, the same for another signature of the same URL. The bytes are not
 * ours to look at; photos are the same in the same order.
 *
 * @param digests of the bytes of the photos that TikTok fetches from us, by their numbers
 */
export function hashMediaUrls(
  media: Extract<FetchedMedia, { type: 'pull' | 'photos' }>,
  digests: readonly (string | undefined)[] = [],
): string {
  const items = media.type === 'photos' ? photosOf(media) : [media];
  const names = items.map((item, index) => (item.type === 'pull' ? withoutSignature(item.url) : digests[index]));
  return sha256Hex(JSON.stringify([media.type, ...names]));
}

function withoutSignature(url: string): string {
  const named = new URL(url);
  named.username = '';
  named.password = '';
  named.hash = '';
  for (const name of [...named.searchParams.keys()]) if (isOfSignature(name)) named.searchParams.delete(name);
  return named.href;
}

function isOfSignature(name: string): boolean {
  return SIGNATURE_PREFIX.test(name) || SIGNATURE_NAMES.includes(name.toLowerCase());
}
