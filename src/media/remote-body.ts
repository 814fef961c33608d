import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';

/** Less than the timeout of the upload to TikTok, so that the error names the side that stalled. */
export const STALL_MS = 15 * SECOND_MS;
/** What must come while the stall time is spent waiting; slower than this no video arrives within its hour. */
const MIN_BYTES_PER_STALL = 16_384;

export interface ExpectedBody {
  /** The server's or the object's name, for errors. */
  readonly name: string;
  readonly lengthBytes: number;
  readonly stallMs: number;
  /** Ends the request that the body comes from. */
  readonly abort: (reason: Error) => void;
}

/**
 * Passes a body on that is exactly as long as it should be. One piece is held back until the next one, or the end,
 * arrives: the reader never sees a body that is too short or too long as complete.
 *
 * @throws PublishError `TRANSPORT_MEDIA_INTERRUPTED`, `TRANSPORT_MEDIA_BAD_ANSWER`
 */
export async function* exactBody(
  body: AsyncIterable<Uint8Array>,
  expected: ExpectedBody,
): AsyncGenerator<Uint8Array, void, void> {
  const { name, lengthBytes } = expected;
  let receivedBytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of watched(body, expected)) {
    receivedBytes += piece.byteLength;
    if (receivedBytes > lengthBytes) {
      const reason = `expected ${lengthBytes} bytes from ${name}, got more`;
      throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
    }
    if (held !== undefined) yield held;
    held = piece;
  }
  if (receivedBytes < lengthBytes) {
    const reason = `expected ${lengthBytes} bytes from ${name}, got ${receivedBytes}`;
    throw new PublishError('TRANSPORT_MEDIA_INTERRUPTED', { reason });
  }
  if (held !== undefined) yield held;
}

/** All of a short body, see `exactBody`. */
export async function readExactly(body: AsyncIterable<Uint8Array>, expected: ExpectedBody): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of exactBody(body, expected)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/**
 * The head of an answer, for which a server has twice the stall time.
 * @param request ends with `OUTBOUND_NO_ANSWER` if it takes longer
 */
export async function answerInTime<T>(
  answer: Promise<T>,
  { name, stallMs }: Pick<ExpectedBody, 'name' | 'stallMs'>,
  request: AbortController,
): Promise<T> {
  const reason = `${name} did not respond within ${2 * stallMs} ms`;
  const timer = setTimeout(() => request.abort(new PublishError('OUTBOUND_NO_ANSWER', { reason })), 2 * stallMs);
  return await answer.finally(() => clearTimeout(timer));
}

/** Counts the time spent waiting for bytes, not the time in which nobody asked for any. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  { name, stallMs, abort }: ExpectedBody,
): AsyncGenerator<Uint8Array, void, void> {
  const pieces = body[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytesMeanwhile = 0;
  const stall = () => {
    const reason = `${name} sent ${bytesMeanwhile} bytes in ${stallMs} ms`;
    return new PublishError('TRANSPORT_MEDIA_INTERRUPTED', { reason });
  };
  let isWaiting = false;
  // One timer for all pieces: a new one for each costs as much as the piece.
  const timer = setTimeout(() => {
    if (isWaiting) abort(stall());
  }, stallMs);
  try {
    for (;;) {
      const begunAt = performance.now();
      isWaiting = true;
      timer.refresh();
      const next = await pieces.next();
      isWaiting = false;
      if (next.done === true) return;
      waitedMs += performance.now() - begunAt;
      bytesMeanwhile += next.value.byteLength;
      if (waitedMs >= stallMs && bytesMeanwhile < MIN_BYTES_PER_STALL) throw stall();
      if (waitedMs >= stallMs) {
        waitedMs = 0;
        bytesMeanwhile = 0;
      }
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    await pieces.return?.();
  }
}
