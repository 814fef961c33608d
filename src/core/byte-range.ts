/** Which bytes a client asks for; half-open. */
interface AskedRange {
  readonly startByte: number;
  readonly endByteExclusive: number;
}

/**
 * Reads the `Range` of a request for a file (RFC 9110, section 14.2).
 * @returns undefined: answer with the whole file, as to no range, to one that cannot be read, and to several at once
 * @example parseRange('bytes=0-4095', 10_000) // { startByte: 0, endByteExclusive: 4096 }
 */
export function parseRange(header: string | undefined, sizeBytes: number): AskedRange | 'unsatisfiable' | undefined {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const startByte = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const endByteExclusive = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  return startByte < endByteExclusive ? { startByte, endByteExclusive } : 'unsatisfiable';
}
