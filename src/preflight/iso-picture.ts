import { type Box, findBox } from './iso-boxes.ts';

/** What a video track's sample entry and head say of its picture. */
export interface Picture {
  /** Null: a codec that is not known here. */
  readonly codec: string | null;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly displayWidth: number;
  readonly displayHeight: number;
  /** Degrees clockwise. */
  readonly rotation: number;
}

/** Sample entries by FourCC (mp4ra.org, "Codecs"; QuickTime File Format, "Video sample description"). */
const CODECS: Readonly<Record<string, string>> = {
  ...{ avc1: 'h264', avc3: 'h264', hvc1: 'h265', hev1: 'h265', vp08: 'vp8', vp09: 'vp9', av01: 'av1' },
  ...{ apco: 'prores', apcs: 'prores', apcn: 'prores', apch: 'prores', ap4h: 'prores', ap4x: 'prores' },
  ...{ jpeg: 'mjpeg', mjpa: 'mjpeg', mjpb: 'mjpeg', s263: 'h263', h263: 'h263' },
};
/** What `mp4v` stands for, by the object type in its `esds` (mp4ra.org, "Object types"). */
const OBJECT_TYPES: Readonly<Record<number, string>> = {
  32: 'mpeg4',
  ...{ 96: 'mpeg2', 97: 'mpeg2', 98: 'mpeg2', 99: 'mpeg2', 100: 'mpeg2', 101: 'mpeg2', 106: 'mpeg1' },
};
/** Fixed fields of a visual sample entry, after which boxes follow (ISO/IEC 14496-12, 12.1.3). */
const ENTRY_FIELDS_BYTES = 78;

/**
 * Reads the picture of a video track.
 * @throws RangeError when a box is shorter than its fields
 */
export function readPicture(moov: Buffer, entry: Box, trackHead: Box): Picture {
  const codedWidth = moov.readUInt16BE(entry.start + 24);
  const codedHeight = moov.readUInt16BE(entry.start + 26);
  const extensions = { start: entry.start + ENTRY_FIELDS_BYTES, end: entry.end };
  const pixel = findBox(moov, extensions, 'pasp');
  const [across, down] =
    pixel === undefined ? [1, 1] : [moov.readUInt32BE(pixel.start), moov.readUInt32BE(pixel.start + 4)];
  const shownWidth = across > 0 && down > 0 ? Math.round((codedWidth * across) / down) : codedWidth;
  const rotation = rotationOf(moov, trackHead);
  const isUpright = rotation % 180 === 0;
  return {
    codec: entry.type === 'mp4v' ? objectCodec(moov, findBox(moov, extensions, 'esds')) : (CODECS[entry.type] ?? null),
    codedWidth,
    codedHeight,
    displayWidth: isUpright ? shownWidth : codedHeight,
    displayHeight: isUpright ? codedHeight : shownWidth,
    rotation,
  };
}

/** The matrix of `tkhd`, whose first two numbers are cosine and sine of the angle. */
function rotationOf(moov: Buffer, { start }: Box): number {
  const matrix = start + (moov[start] === 1 ? 52 : 40);
  const quarters = Math.round((Math.atan2(moov.readInt32BE(matrix + 4), moov.readInt32BE(matrix)) * 2) / Math.PI);
  return ((quarters + 4) % 4) * 90;
}

/** Codec of an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6.5 and 7.2.6.6). */
function objectCodec(moov: Buffer, esds: Box | undefined): string | null {
  if (esds === undefined) return null;
  // ES_Descriptor without options, and the first byte of the DecoderConfigDescriptor within it.
  const stream = contentOfDescriptor(moov, esds.start + 4);
  const decoder = contentOfDescriptor(moov, stream + 3);
  return OBJECT_TYPES[moov[decoder] ?? 0] ?? null;
}

/** Where the content of a descriptor begins: after its tag and a size of one to four bytes. */
function contentOfDescriptor(moov: Buffer, at: number): number {
  let end = at + 1;
  while (end < at + 4 && ((moov[end] ?? 0) & 0x80) !== 0) end += 1;
  return end + 1;
}
