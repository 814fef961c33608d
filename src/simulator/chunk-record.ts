/** One PUT as the journal saw it. Fields change while bytes come in. */
export interface ChunkRecord {
  /** Range the client announced; NaN where it announced none. */
  startByte: number;
  endByteExclusive: number;
  totalBytes: number;
  receivedBytes: number;
  /** The chunk was added to the upload. */
  accepted: boolean;
  /** Another PUT to the same upload ran at the same time, and neither client had given up. */
  concurrent: boolean;
  /** The range did not continue the upload. */
  outOfOrder: boolean;
  /** Of `receivedBytes`, those that came after a newer PUT to the same upload had begun. */
  bytesSinceOvertaken: number;
}
