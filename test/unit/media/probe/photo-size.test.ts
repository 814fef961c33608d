import { describe, expect, it } from 'vitest';
import { jpegSize, webpSize } from '../../../../src/media/probe/photo-size.ts';
import { jpegOf, PICTURES } from '../../../support/photos.ts';

describe('the size of a photo', () => {
  it('is read from the frame header of a JPEG, also behind previews', () => {
    expect(jpegSize(PICTURES.jpeg)).toEqual({ width: 40, height: 30 });
    expect(jpegSize(jpegOf(4_000, 3_000, 200_000))).toEqual({ width: 4_000, height: 3_000 });
  });

  it.each([
    ['webp', { width: 40, height: 30 }],
    ['webpLossless', { width: 40, height: 30 }],
    ['webpAlpha', { width: 42, height: 32 }],
  ] as const)('is read from every kind of WebP: %s', (name, size) => {
    expect(webpSize(PICTURES[name])).toEqual(size);
  });

  it('is not told where the first bytes end before it, wherever they end, and nothing breaks', () => {
    const frame = PICTURES.jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    for (let end = 0; end < frame + 9; end++) expect(jpegSize(PICTURES.jpeg.subarray(0, end))).toBeNull();
    for (let end = 0; end < 30; end++) expect(webpSize(PICTURES.webp.subarray(0, end))).toBeNull();
    expect(jpegSize(Buffer.alloc(1_000, 0xff))).toBeNull();
    expect(jpegSize(Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(100)]))).toBeNull();
    expect(jpegSize(jpegOf(100, 0))).toBeNull();
  });
});
