/** From the size of an `mvhd` box to the end of its duration, version 1; with room for its start in an earlier piece. */
const KEPT_BYTES = 64;
/** Sizes of the box in version 0 and 1, which tell it from the same four letters elsewhere. */
const BOX_BYTES = [108, 120];

/** Finds how long an MP4 or MOV is while its bytes pass by, from its movie header (ISO/IEC 14496-12, `mvhd`). */
export class MovieLength {
  #tail: Buffer = Buffer.alloc(0);
  /** How long it is, in seconds; undefined until its header has passed by, and for other formats. */
  seconds: number | undefined;

  add(bytes: Buffer): void {
    const edge = Buffer.concat([this.#tail, bytes.subarray(0, KEPT_BYTES)]);
    this.seconds ??= lengthIn(edge) ?? lengthIn(bytes);
    this.#tail = Buffer.from(bytes.length < KEPT_BYTES ? edge.subarray(-KEPT_BYTES) : bytes.subarray(-KEPT_BYTES));
  }

  copy(): MovieLength {
    const copy = new MovieLength();
    copy.#tail = this.#tail;
    copy.seconds = this.seconds;
    return copy;
  }
}

function lengthIn(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf('mvhd', 4, 'latin1'); at !== -1; at = bytes.indexOf('mvhd', at + 4, 'latin1')) {
    const version = bytes[at + 4] ?? -1;
    if (bytes.readUInt32BE(at - 4) !== BOX_BYTES[version]) continue;
    const timescaleAt = at + (version === 0 ? 16 : 24);
    const endsAt = timescaleAt + (version === 0 ? 8 : 12);
    if (endsAt > bytes.length) return undefined;
    const units = version === 0 ? bytes.readUInt32BE(timescaleAt + 4) : Number(bytes.readBigUInt64BE(timescaleAt + 4));
    // Fragments name their length elsewhere.
    if (units > 0) return units / bytes.readUInt32BE(timescaleAt);
  }
  return undefined;
}
