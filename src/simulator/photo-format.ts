/** "Maximum of 20 MB for each image" (content-posting-api-media-transfer-guide, read 2026-11-22). */
export const MAX_PHOTO_BYTES = 20_000_000;

/** WebP or JPEG, told by the first bytes; integrators report that PNG is refused (media-transfer-guide). */
export function isAcceptedPhoto(bytes: Buffer): boolean {
  const isJpeg = bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]));
  const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
  return isJpeg || isWebp;
}
