import { setImmediate } from 'node:timers/promises';
import { type AnsweredRange, parseAnsweredRange } from '../core/content-range.ts';
import type { MediaKind, MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { CONTAINER_PROBE_BYTES } from './container-type.ts';
import { exactBody, readExactly } from './remote-body.ts';
import { contentTypeOf, refuseRange, refuseSize } from './source-checks.ts';

/** A half-open range that is asked for. */
export interface ByteRange {
  readonly startByte: number;
  readonly endByteExclusive: number;
}

/** What tells the container of a video. */
export const FIRST_BYTES: ByteRange = { startByte: 0, endByteExclusive: CONTAINER_PROBE_BYTES };

/** A video on another machine whose version is pinned. */
interface RemoteVideo {
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

/** How a video is asked for, before it is known what it is. */
interface RemoteServer extends Pick<RemoteVideo, 'name' | 'stallMs' | 'explain'> {
  readonly kind: MediaKind;
}

/** The answer to the request for {@link FIRST_BYTES}, and how the rest of that version is read. */
interface FirstAnswer extends Pick<RemoteVideo, 'fetch' | 'isPinStrong' | 'isCheckedAfterwards'> {
  readonly body: AsyncIterable<Uint8Array>;
  readonly range: AnsweredRange;
  /** See `SourcePin`. */
  readonly version: string;
}

/**
 * Opens a video by its first bytes.
 * @param ask ends when `opening` does
 */
export async function openRemoteSource(
  server: RemoteServer,
  ask: (opening: AbortController) => Promise<FirstAnswer>,
): Promise<MediaSource> {
  const { name, stallMs, explain, kind } = server;
  const opening = new AbortController();
  const abort = (reason: unknown): void => opening.abort(reason);
  try {
    const { body, range, version, ...reading } = await ask(opening);
    refuseSize(name, range.totalBytes, kind);
    const firstBytes = await readExactly(body, { name, lengthBytes: range.endByteExclusive, stallMs, abort });
    const pin = { sizeBytes: range.totalBytes, version };
    return createRemoteSource({ ...server, ...reading, pin }, contentTypeOf(name, firstBytes, kind));
  } catch (error) {
    if (opening.signal.aborted) throw opening.signal.reason;
    throw explain(error);
  } finally {
    // A refused answer's body occupies its connection.
    abort(new Error('opening the source was aborted'));
  }
}

/**
 * The source that reads a remote video, one range at a time, over whatever connection its server keeps. Nothing is kept
 * of what was read: what is alive are the pieces in the socket's and the stream's buffers.
 */
function createRemoteSource(video: RemoteVideo, contentType: MediaSource['contentType']): MediaSource {
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
      refuseRange(pin, startByte, endByteExclusive);
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

/**
 * The range that an answer says it holds.
 * @param asked what it has to hold, up to the end of the video
 * @param sizeBytes of the pinned version, once there is one
 * @throws PublishError `INPUT_MEDIA_CHANGED`, `TRANSPORT_MEDIA_BAD_ANSWER`
 */
export function expectRange(
  name: string,
  contentRange: string | undefined,
  { asked, sizeBytes }: { readonly asked: ByteRange; readonly sizeBytes?: number },
): AnsweredRange {
  const answered = parseAnsweredRange(contentRange);
  if (answered !== undefined && sizeBytes !== undefined && answered.totalBytes !== sizeBytes) throw changed(name);
  const end = Math.min(asked.endByteExclusive, answered?.totalBytes ?? 0);
  if (answered?.startByte === asked.startByte && answered.endByteExclusive === end) return answered;
  const got = contentRange === undefined ? 'none' : 'another';
  const reason = `expected the requested range from ${name}, got ${got}`;
  throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
}

/** The error of a video that is not in the pinned version any more. */
export function changed(name: string): PublishError {
  const reason = `the video at ${name} has changed since the start of the job`;
  return new PublishError('INPUT_MEDIA_CHANGED', { reason });
}

const MAX_KEPT_MARK_CHARS = 128;

/** What a job's record keeps of an ETag or another mark of a version; of a long one the digest. */
export function keptMark(mark: string): string {
  return mark.length <= MAX_KEPT_MARK_CHARS ? mark : sha256Hex(mark);
}

/** The `Range` that asks for these bytes. */
export function rangeHeader({ startByte, endByteExclusive }: ByteRange): string {
  return `bytes=${startByte}-${endByteExclusive - 1}`;
}

/** The error of a server or storage that can't give a part of a video. */
export function noRanges(name: string, problem: string): PublishError {
  return new PublishError('INPUT_MEDIA_NO_RANGES', { reason: `${name} does not support range requests: ${problem}` });
}
