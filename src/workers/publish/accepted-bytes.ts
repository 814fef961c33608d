import { crc32 } from 'node:zlib';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';

/**
 * The CRC-32 of a source's first `endByte` bytes, for the upload to go on from there.
 *
 * Where we know the CRC of what was accepted before (`known`), the same bytes must still be there: else two different
 * videos would be mixed into one.
 * @throws PublishError `INPUT_MEDIA_CHANGED`
 */
export async function verifyAcceptedBytes(
  source: MediaSource,
  endByte: number,
  known: { readonly endByte: number; readonly crc32: number } | undefined,
): Promise<number> {
  const checkedEnd = known === undefined || known.endByte > endByte ? 0 : known.endByte;
  const checked = await crc32OfRange(source, 0, checkedEnd, 0);
  if (known !== undefined && checkedEnd > 0 && checked !== known.crc32) {
    throw new PublishError('INPUT_MEDIA_CHANGED', {
      reason: `the first ${checkedEnd} bytes differ from the bytes that were uploaded`,
    });
  }
  return await crc32OfRange(source, checkedEnd, endByte, checked);
}

async function crc32OfRange(source: MediaSource, startByte: number, endByte: number, before: number): Promise<number> {
  if (startByte === endByte) return before;
  let crc = before;
  for await (const piece of source.read(startByte, endByte)) crc = crc32(piece, crc);
  return crc;
}
