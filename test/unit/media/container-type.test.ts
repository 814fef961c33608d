import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectContainerType, detectPhotoType } from '../../../src/media/container-type.ts';

/** An ISO file of this major brand. */
const iso = (brand: string) => Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\x02\0isomiso2`, 'latin1');
/** A file that begins with this atom. */
const atom = (name: string) => Buffer.from(`\0\0\0\x08${name}\0\0\0\0moov`, 'latin1');

/** An EBML header with a DocType among other elements. */
function ebml(docType: string): Buffer {
  const version = Buffer.from([0x42, 0x86, 0x81, 0x01]);
  const type = Buffer.concat([Buffer.from([0x42, 0x82, 0x80 + docType.length]), Buffer.from(docType)]);
  const elements = Buffer.concat([version, type]);
  const size = Buffer.from([0x01, 0, 0, 0, 0, 0, 0, elements.length]);
  const shortSize = Buffer.from([0x80 + elements.length]);
  const magic = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);
  return Buffer.concat([magic, docType.length % 2 === 0 ? size : shortSize, elements, Buffer.from('Segment')]);
}

describe('detectContainerType', () => {
  it.each(['isom', 'mp42', 'avc1', 'M4V ', 'iso6', 'dash'])('takes an ISO file of brand %s for MP4', (brand) => {
    expect(detectContainerType(iso(brand))).toBe('video/mp4');
  });

  it('takes brand "qt  " for MOV', () => {
    expect(detectContainerType(iso('qt  '))).toBe('video/quicktime');
  });

  it.each(['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'])(
    'takes a file that begins with %s for an old MOV',
    (name) => {
      expect(detectContainerType(atom(name))).toBe('video/quicktime');
    },
  );

  it('takes EBML of type webm for WebM, with a size of one byte or of eight', () => {
    expect(detectContainerType(ebml('webm'))).toBe('video/webm');
    expect(detectContainerType(ebml('webm\0'))).toBe('video/webm');
  });

  it('refuses Matroska, which shares its magic with WebM', () => {
    expect(detectContainerType(ebml('matroska'))).toBeUndefined();
  });

  it.each(['heic', 'avif', 'M4A ', 'crx '])('refuses an ISO file of brand %s, which holds no video', (brand) => {
    expect(detectContainerType(iso(brand))).toBeUndefined();
  });

  it.each([
    'RIFF\0\0\0\0AVI LIST',
    '<!DOCTYPE html>',
    '\x89PNG\r\n\x1a\n\0\0\0\0',
    'FLV\x01\x05\0\0\0\x09\0\0\0\0',
    'short',
    '',
  ])('refuses %j', (text) => {
    expect(detectContainerType(Buffer.from(text, 'latin1'))).toBeUndefined();
  });

  it('survives any bytes, EBML ones above all', () => {
    const anything = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    const magic = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);
    fc.assert(
      fc.property(anything, fc.boolean(), (bytes, isEbml) => {
        const type = detectContainerType(isEbml ? Buffer.concat([magic, bytes]) : bytes);
        expect([undefined, 'video/mp4', 'video/quicktime', 'video/webm']).toContain(type);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('detectPhotoType', () => {
  it.each([
    ['image/jpeg', '\xff\xd8\xff\xe0\0\x10JFIF'],
    ['image/webp', 'RIFF\x24\0\0\0WEBPVP8 '],
    [undefined, '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    [undefined, 'RIFF\x24\0\0\0WAVEfmt '],
    [undefined, '\0\0\0\x18ftypheic\0\0\0\0'],
    [undefined, ''],
  ])('says %s of the bytes %j', (type, bytes) => {
    expect(detectPhotoType(Buffer.from(bytes, 'latin1'))).toBe(type);
  });
});
