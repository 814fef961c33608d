import type { VideoType } from '../core/ports.ts';

/** How many of the first bytes of a file tell its container. */
export const CONTAINER_PROBE_BYTES = 4_096;

/** Brands of ISO files that hold no video: pictures and sound (mp4ra.org). */
const BRANDS_WITHOUT_VIDEO = ['heic', 'heix', 'heim', 'heis', 'mif1', 'avif', 'crx ', 'M4A ', 'M4B ', 'jp2 ', 'jpx '];

/** Atoms that QuickTime files without `ftyp` begin with (QuickTime File Format, "Overview of the file structure"). */
const QUICKTIME_FIRST_ATOMS = ['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'];

const JPEG_MAGIC = Buffer.from([0xff, 0xd8, 0xff]);
const EBML_MAGIC = 0x1a45dfa3;
const EBML_DOC_TYPE = 0x4282;

/**
 * The type of a video by its first bytes, since names lie.
 * @returns undefined for what TikTok does not accept: anything but MP4, MOV and WebM, Matroska included
 */
export function detectContainerType(firstBytes: Buffer): VideoType | undefined {
  if (firstBytes.length < 12) return undefined;
  if (firstBytes.readUInt32BE(0) === EBML_MAGIC) {
    return readEbmlDocType(firstBytes) === 'webm' ? 'video/webm' : undefined;
  }
  const firstAtom = firstBytes.toString('latin1', 4, 8);
  if (firstAtom !== 'ftyp') return QUICKTIME_FIRST_ATOMS.includes(firstAtom) ? 'video/quicktime' : undefined;
  const majorBrand = firstBytes.toString('latin1', 8, 12);
  if (majorBrand === 'qt  ') return 'video/quicktime';
  return BRANDS_WITHOUT_VIDEO.includes(majorBrand) ? undefined : 'video/mp4';
}

/** The type of a photo that TikTok takes (content-posting-api-media-transfer-guide, read 2026-09-11): JPEG or WebP. */
export function detectPhotoType(firstBytes: Buffer): 'image/jpeg' | 'image/webp' | undefined {
  if (firstBytes.subarray(0, 3).equals(JPEG_MAGIC)) return 'image/jpeg';
  const isWebp = firstBytes.toString('latin1', 0, 4) === 'RIFF' && firstBytes.toString('latin1', 8, 12) === 'WEBP';
  return isWebp ? 'image/webp' : undefined;
}

/** Walks the elements of an EBML header (RFC 8794 section 8) to its DocType. */
function readEbmlDocType(bytes: Buffer): string | undefined {
  const header = readElement(bytes, 0);
  const end = Math.min(header?.end ?? bytes.length, bytes.length);
  let element = header && readElement(bytes, header.start);
  while (element?.end !== undefined && element.start <= end) {
    if (element.id === EBML_DOC_TYPE)
      return bytes.toString('latin1', element.start, element.end).replace(/(?<!\0)\0+$/, '');
    element = element.end < end ? readElement(bytes, element.end) : undefined;
  }
  return undefined;
}

/** An element of EBML by its place in a buffer. */
export interface EbmlElement {
  readonly id: number;
  readonly start: number;
  /** May be beyond the bytes read; undefined: not known when it was written (RFC 8794, 6.2). */
  readonly end: number | undefined;
}

/** Reads the head of an element. @returns undefined for bytes that are none */
export function readElement(bytes: Buffer, at: number): EbmlElement | undefined {
  const id = readVint(bytes, at, true);
  const size = id === undefined ? undefined : readVint(bytes, id.next, false);
  if (id === undefined || size === undefined) return undefined;
  const isUnknown = size.value === 2 ** (7 * (size.next - id.next)) - 1;
  return { id: id.value, start: size.next, end: isUnknown ? undefined : size.next + size.value };
}

/** A variable-size integer (RFC 8794 section 4); ids keep the marker bit that tells their length, sizes don't. */
export function readVint(
  bytes: Buffer,
  position: number,
  keepMarker: boolean,
): { value: number; next: number } | undefined {
  const first = bytes[position] ?? 0;
  const length = Math.clz32(first) - 23;
  const next = position + length;
  if (length > 8 || next > bytes.length) return undefined;
  let value = keepMarker ? first : first - 2 ** (8 - length);
  for (const byte of bytes.subarray(position + 1, next)) value = value * 256 + byte;
  return { value, next };
}
