/** What an upload reply's `Content-Range: bytes 0-{UPLOADED_BYTES}/{TOTAL_BYTE_LENGTH}` says. */
export interface UploadReport {
  /** UPLOADED_BYTES as sent: a count or a last index, see `edgeForReport`. */
  readonly reportedBytes: number;
  readonly totalBytes: number;
}

/**
 * The `Content-Range` of a chunk: the only place where a range includes its last byte.
 * @example formatContentRange(0, 10_000_000, 50_000_123) // 'bytes 0-9999999/50000123'
 */
export function formatContentRange(startByte: number, endByteExclusive: number, totalBytes: number): string {
  return `bytes ${startByte}-${endByteExclusive - 1}/${totalBytes}`;
}

/** Reads the progress that an upload reply reports. @returns undefined when it is absent or does not start at 0 */
export function parseUploadReport(header: string | undefined): UploadReport | undefined {
  const match = /^\s*bytes\s+0-(\d{1,15})\/(\d{1,15})\s*$/i.exec(header ?? '');
  if (match === null) return undefined;
  return { reportedBytes: Number(match[1]), totalBytes: Number(match[2]) };
}

/** The range that an answer says it holds, and of how many bytes; half-open. */
export interface AnsweredRange {
  readonly startByte: number;
  readonly endByteExclusive: number;
  readonly totalBytes: number;
}

/**
 * Reads the `Content-Range` of a 206 (RFC 9110 section 14.4), also in the spellings that curl takes: with `=`, `:` or nothing
 * for the blank, and more blanks.
 * @returns undefined when it is absent, malformed, or does not tell the whole length
 */
export function parseAnsweredRange(header: string | undefined): AnsweredRange | undefined {
  const match = /^(?:bytes)?[\s=:]*(\d{1,15})\s*-\s*(\d{1,15})\s*\/\s*(\d{1,15})$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [startByte, lastByte, totalBytes] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (startByte > lastByte || lastByte >= totalBytes) return undefined;
  return { startByte, endByteExclusive: lastByte + 1, totalBytes };
}
