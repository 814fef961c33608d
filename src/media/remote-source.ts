import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { MAX_VIDEO_BYTES } from '../core/chunk-plan.ts';
import type { AnsweredRange } from '../core/content-range.ts';
import type { MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { detectContainerType } from './container-type.ts';
import { exactBody } from './remote-body.ts';

/** A half-open range that is asked for. */
export interface ByteRange {
  readonly startByte: number;
  readonly endByteExclusive: number;
}

/** A video on another machine whose version is pinned. */
export interface RemoteVideo {
  /** The server's or the object's name, for errors. */
  readonly name: string;
  readonly pin: SourcePin;
  /** Whether the pin changes with every byte, so that what was accepted need not be read again. */
  readonly isPinStrong: boolean;
  readonly stallMs: number;
  /**
   * Asks for a range of the pinned version. The answer's head is checked by then, its body is not.
   * @param request ends with the reading of the body, or ends it
   * @throws PublishError
   */
  fetch(range: ByteRange, request: AbortController): Promise<AsyncIterable<Uint8Array>>;
  /** Turns what broke a body into a PublishError. */
  explain(error: unknown): PublishError;
  /** Whether a server may send other bytes than those of the version that it named when it began to. */
  readonly isCheckedAfterwards: boolean;
}

/**
 * The source that reads a remote video, one range at a time, over whatever connection its server keeps. Nothing is kept
 * of what was read: what is alive are the pieces in the socket's and the stream's buffers.
 */
export function createRemoteSource(video: RemoteVideo, contentType: MediaSource['contentType']): MediaSource {
  const { pin, name, stallMs } = video;
  const closed = new AbortController();
  let reader: AbortController | undefined;

  async function* read(range: ByteRange, request: AbortController): AsyncGenerator<Uint8Array, void, void> {
    const endOnClose = (): void => request.abort(closed.signal.reason);
    closed.signal.addEventListener('abort', endOnClose, { once: true });
    const lengthBytes = range.endByteExclusive - range.startByte;
    try {
      // A connection is free one turn after its answer: without this each range would open another.
      await setImmediate();
      closed.signal.throwIfAborted();
      const body = await video.fetch(range, request);
      yield* exactBody(body, { name, lengthBytes, stallMs, abort: (reason) => request.abort(reason) });
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      throw video.explain(error);
    } finally {
      // A body that was not read to its end occupies its connection.
      request.abort(new Error('the reader has ended'));
      closed.signal.removeEventListener('abort', endOnClose);
    }
  }

  return {
    pin,
    contentType,
    isPinStrong: video.isPinStrong,
    read: (startByte, endByteExclusive) => {
      if (!(startByte >= 0 && startByte < endByteExclusive && endByteExclusive <= pin.sizeBytes)) {
        throw new RangeError(`expected a range within 0 to ${pin.sizeBytes}, got ${startByte} to ${endByteExclusive}`);
      }
      // The consumer of the one before may be gone without having said so.
      reader?.abort(new Error('another read of this source has started'));
      reader = new AbortController();
      return read({ startByte, endByteExclusive }, reader);
    },
    verifyUnchanged: async () => {
      if (!video.isCheckedAfterwards) return;
      for await (const _ of read({ startByte: 0, endByteExclusive: 1 }, new AbortController()));
    },
    close: async () => {
      closed.abort(new Error('the source is closed'));
    },
  };
}

/** @throws PublishError `INPUT_MEDIA_EMPTY`, `INPUT_MEDIA_TOO_LARGE` */
export function refuseRemoteSize(name: string, sizeBytes: number): void {
  if (sizeBytes === 0) throw new PublishError('INPUT_MEDIA_EMPTY', { reason: `the video at ${name} is empty` });
  if (sizeBytes <= MAX_VIDEO_BYTES) return;
  const reason = `expected at most ${MAX_VIDEO_BYTES} bytes, got ${sizeBytes} at ${name}`;
  throw new PublishError('INPUT_MEDIA_TOO_LARGE', { reason });
}

/** @throws PublishError `INPUT_MEDIA_CONTAINER_UNSUPPORTED` */
export function refuseRemoteContainer(name: string, firstBytes: Buffer): MediaSource['contentType'] {
  const contentType = detectContainerType(firstBytes);
  if (contentType !== undefined) return contentType;
  const reason = `expected an MP4, MOV or WebM video at ${name}, got something else`;
  throw new PublishError('INPUT_MEDIA_CONTAINER_UNSUPPORTED', { reason });
}

/** Whether an answer holds the range that was asked for. */
export function isRange(answered: AnsweredRange | undefined, asked: ByteRange): answered is AnsweredRange {
  return answered?.startByte === asked.startByte && answered.endByteExclusive === asked.endByteExclusive;
}

const MAX_KEPT_MARK_CHARS = 128;

/** What a job's record keeps of an ETag or another mark of a version; of a long one the digest. */
export function keptMark(mark: string): string {
  return mark.length <= MAX_KEPT_MARK_CHARS ? mark : createHash('sha256').update(mark).digest('hex');
}

/** The `Range` that asks for these bytes. */
export function rangeHeader({ startByte, endByteExclusive }: ByteRange): string {
  return `bytes=${startByte}-${endByteExclusive - 1}`;
}

/** The error of a server or storage that can't give a part of a video. */
export function noRanges(name: string, problem: string): PublishError {
  return new PublishError('INPUT_MEDIA_NO_RANGES', { reason: `${name} does not support range requests: ${problem}` });
}
