import type { FileHandle } from 'node:fs/promises';
import type { MediaSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { MEBIBYTE_BYTES } from '../core/units.ts';
import { explained } from './file-error.ts';

/** One piece is with the consumer, and one is read ahead. */
const RING_PIECES = 2;
/** Large enough that what each piece costs besides its bytes counts little. */
const PIECE_BYTES = 2 * MEBIBYTE_BYTES;

/** Buffers that sources gave back: new ones would wait for V8 to find them unused, and V8 looks the more often. */
const spareBuffers: Buffer[] = [];
const MOST_SPARE_BUFFERS = 8;

/** How a file is read. */
interface ReadAhead {
  /** See `MediaSource.read`; beginning another read ends the one before. */
  readonly read: MediaSource['read'];
  /** Gives the buffers back, once nobody holds a piece any more. */
  release(): void;
}

/** A piece that is read before anybody asks for it. */
interface PieceAhead {
  readonly startByte: number;
  readonly filling: Promise<Buffer>;
}

/**
 * Reads one piece ahead of the consumer, so that disk and network work at the same time: also beyond the end of a long read,
 * since the next chunk begins there. The buffers, a small ring, are our own, since undici closes a FileHandle whose stream it
 * is given.
 *
 * @param name the file's name for errors
 * @param sizeBytes of the file: nothing is read ahead beyond it
 */
export function createReadAhead(handle: FileHandle, name: string, sizeBytes: number): ReadAhead {
  const ring: Buffer[] = [];
  let turns = 0;
  let latestRead = 0;
  let unfinishedReads = 0;
  let inFlight: Promise<unknown> = Promise.resolve();
  let ahead: PieceAhead | undefined;

  function startFill(startByte: number, endByteExclusive: number): Promise<Buffer> {
    const slot = turns % RING_PIECES;
    turns += 1;
    const buffer = ring[slot] ?? spareBuffers.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    ring[slot] = buffer;
    const lengthBytes = Math.min(endByteExclusive - startByte, PIECE_BYTES);
    const filling = fill(handle, buffer.subarray(0, lengthBytes), startByte, name);
    // Awaited by the reader when its turn comes; a failure before that must not count as unhandled.
    inFlight = filling.catch(() => undefined);
    return filling;
  }

  /** The first piece of a read, which may have been read ahead. */
  async function firstPiece(startByte: number, endByteExclusive: number): Promise<Buffer> {
    const found = ahead?.startByte === startByte ? ahead.filling : startFill(startByte, endByteExclusive);
    ahead = undefined;
    return (await found).subarray(0, endByteExclusive - startByte);
  }

  async function* read(startByte: number, endByteExclusive: number): AsyncGenerator<Buffer, void, void> {
    latestRead += 1;
    unfinishedReads += 1;
    const ownRead = latestRead;
    await inFlight;
    const isLong = endByteExclusive - startByte >= PIECE_BYTES;
    let position = startByte;
    let next = firstPiece(startByte, endByteExclusive);
    try {
      while (position < endByteExclusive) {
        const piece = await next;
        if (ownRead !== latestRead) throw new Error('another read of this source has started');
        position += piece.byteLength;
        if (position < endByteExclusive) next = startFill(position, endByteExclusive);
        else if (isLong && position < sizeBytes)
          ahead = { startByte: position, filling: startFill(position, sizeBytes) };
        yield piece;
      }
      unfinishedReads -= 1;
    } finally {
      // An abandoned reader leaves no piece of its own behind that still writes into the ring; one ahead is waited for by the next.
      await next.catch(() => undefined);
    }
  }

  return {
    read,
    release() {
      // Who gave up a read midway may still be sending a piece.
      if (unfinishedReads === 0) spareBuffers.push(...ring.splice(0, MOST_SPARE_BUFFERS - spareBuffers.length));
    },
  };
}

async function fill(handle: FileHandle, buffer: Buffer, startByte: number, name: string): Promise<Buffer> {
  let filledBytes = 0;
  while (filledBytes < buffer.length) {
    const leftBytes = buffer.length - filledBytes;
    const { bytesRead } = await explained(name, () =>
      handle.read(buffer, filledBytes, leftBytes, startByte + filledBytes),
    );
    if (bytesRead === 0) {
      const reason = `expected more data from ${name} at byte ${startByte + filledBytes}, but it ends there`;
      throw new PublishError('INPUT_MEDIA_CHANGED', { reason });
    }
    filledBytes += bytesRead;
  }
  return buffer;
}
