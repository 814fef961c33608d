type PhotoSize = { readonly width: number; readonly height: number };

const MARKER = 0xff;
/** Markers that no length follows (ISO/IEC 10918-1, table B.1): TEM and RST0 to SOI. */
const isBareMarker = (code: number) => code === 0x01 || (code >= 0xd0 && code <= 0xd8);
/** Frame headers are SOF0 to SOF15, without the three tables and extensions between them: DHT, JPG and DAC. */
const isFrameHeader = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);

/**
 * Width and height of a JPEG by its first bytes, which may end anywhere. The work grows with these bytes only.
 * @returns null where they do not reach the frame header
 */
export function jpegSize(head: Buffer): PhotoSize | null {
  let at = 2;
  while (at + 9 <= head.length && head.readUInt8(at) === MARKER) {
    const code = head.readUInt8(at + 1);
    // A marker may be preceded by any number of fill bytes.
    if (code === MARKER) at += 1;
    else if (isBareMarker(code)) at += 2;
    else if (isFrameHeader(code)) return sizeOf(head.readUInt16BE(at + 7), head.readUInt16BE(at + 5));
    else at += 2 + Math.max(2, head.readUInt16BE(at + 2));
  }
  return null;
}

/** Width and height of a WebP (RFC 9649): in its first 30 bytes, whatever its kind. */
export function webpSize(head: Buffer): PhotoSize | null {
  if (head.length < 30) return null;
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return sizeOf(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff);
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return sizeOf((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case 'VP8X':
      return sizeOf(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1);
    default:
      return null;
  }
}

/** A JPEG may leave its height to be told later, as 0. */
function sizeOf(width: number, height: number): PhotoSize | null {
  return width > 0 && height > 0 ? { width, height } : null;
}
