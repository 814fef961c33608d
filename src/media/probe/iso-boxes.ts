/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2), by its place in a buffer. */
export interface Box {
  readonly type: string;
  /** First byte of the content. */
  readonly start: number;
  /** First byte after the box. */
  readonly end: number;
}

/** The head of a box as it stands in a file, whose size may be any number. */
export interface BoxHead {
  readonly type: string;
  readonly headBytes: number;
  /** Head and content; undefined: up to the end of the file. */
  readonly sizeBytes: number | undefined;
}

/** Longest head of a box: size, type and 64-bit size. */
export const MAX_BOX_HEAD_BYTES = 16;
const MIN_BOX_HEAD_BYTES = 8;
/** More boxes side by side than any real file has; the rest is not looked at. */
const MAX_SIBLINGS = 2_000;

/** Reads the head of a box. @returns undefined for bytes that are none */
export function readBoxHead(bytes: Buffer, at = 0): BoxHead | undefined {
  if (at + MIN_BOX_HEAD_BYTES > bytes.length) return undefined;
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return undefined;
  const size = bytes.readUInt32BE(at);
  if (size === 0) return { type, headBytes: MIN_BOX_HEAD_BYTES, sizeBytes: undefined };
  if (size !== 1)
    return size < MIN_BOX_HEAD_BYTES ? undefined : { type, headBytes: MIN_BOX_HEAD_BYTES, sizeBytes: size };
  if (at + MAX_BOX_HEAD_BYTES > bytes.length) return undefined;
  const largeSize = Number(bytes.readBigUInt64BE(at + MIN_BOX_HEAD_BYTES));
  return largeSize < MAX_BOX_HEAD_BYTES ? undefined : { type, headBytes: MAX_BOX_HEAD_BYTES, sizeBytes: largeSize };
}

/** The boxes within a stretch of a buffer; ends at the first that does not fit. */
export function* boxesIn(bytes: Buffer, start: number, end: number): Generator<Box, void, void> {
  let at = start;
  for (let count = 0; at < end && count < MAX_SIBLINGS; count++) {
    const head = readBoxHead(bytes, at);
    const boxEnd = at + (head?.sizeBytes ?? end - at);
    if (head === undefined || boxEnd > end) return;
    yield { type: head.type, start: at + head.headBytes, end: boxEnd };
    at = boxEnd;
  }
}

/** The first box under a path of types within another. */
export function findBox(
  bytes: Buffer,
  within: Pick<Box, 'start' | 'end'>,
  ...path: readonly string[]
): Box | undefined {
  const [type, ...rest] = path;
  for (const box of boxesIn(bytes, within.start, within.end)) {
    if (box.type === type) return rest.length === 0 ? box : findBox(bytes, box, ...rest);
  }
  return undefined;
}
