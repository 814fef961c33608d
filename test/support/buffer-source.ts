import type { MediaSource } from '../../src/core/ports.ts';
import { CONTAINER_PROBE_BYTES, detectContainerType } from '../../src/media/container-type.ts';

/** A video in memory that counts how it is read. */
export interface CountedSource extends MediaSource {
  /** Half-open ranges, in the order in which they were asked for. */
  readonly ranges: readonly (readonly [startByte: number, endByte: number])[];
}

/** Makes bytes readable by range, in pieces of 16 KiB whose buffer is used again, as with files. */
export function bufferSource(bytes: Buffer): CountedSource {
  const ranges: [number, number][] = [];
  return {
    ranges,
    pin: { sizeBytes: bytes.length, version: '1' },
    contentType: detectContainerType(bytes.subarray(0, CONTAINER_PROBE_BYTES)) ?? 'video/mp4',
    async *read(startByte, endByteExclusive) {
      if (!(startByte >= 0 && startByte < endByteExclusive && endByteExclusive <= bytes.length)) {
        throw new RangeError(`expected a range within 0 to ${bytes.length}, got ${startByte} to ${endByteExclusive}`);
      }
      ranges.push([startByte, endByteExclusive]);
      const buffer = Buffer.alloc(16_384);
      for (let at = startByte; at < endByteExclusive; at += buffer.length) {
        const length = bytes.copy(buffer, 0, at, Math.min(at + buffer.length, endByteExclusive));
        yield buffer.subarray(0, length);
        buffer.fill(0xff);
      }
    },
    verifyUnchanged: async () => undefined,
    close: async () => undefined,
  };
}
