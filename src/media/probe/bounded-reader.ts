import { orAbort } from '../../core/deadline.ts';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';

/** Why a probe ends early; its text is shown to people. */
export class ProbeLimitError extends Error {
  override name = 'ProbeLimitError';
}

export interface ProbeLimits {
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** A remote source pays per request, so a small read takes its neighbourhood along (bytes). */
const SMALLEST_READ_BYTES = 65_536;
/** Ranges kept for the next read. */
const KEPT_RANGES = 4;

interface KeptRange {
  readonly startByte: number;
  readonly bytes: Buffer;
}

/** Reads ranges of a source, one at a time, until a budget of bytes or time is used up. */
export class BoundedReader {
  readonly #source: Pick<MediaSource, 'pin' | 'read'>;
  readonly #limits: ProbeLimits;
  readonly #signal: AbortSignal;
  #kept: readonly KeptRange[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #bytesRead = 0;
  #sourceError: PublishError | undefined;

  /** @param signal ends every read, with its reason */
  constructor(source: Pick<MediaSource, 'pin' | 'read'>, limits: ProbeLimits, signal: AbortSignal) {
    this.#source = source;
    this.#limits = limits;
    this.#signal = signal;
  }

  get sizeBytes(): number {
    return this.#source.pin.sizeBytes;
  }

  /** The first error of the source itself, which says nothing of the video. */
  get sourceError(): PublishError | undefined {
    return this.#sourceError;
  }

  /**
   * The bytes of a half-open range within the file.
   * @throws ProbeLimitError when the budget is used up; PublishError of the source
   */
  async bytes(startByte: number, endByteExclusive: number): Promise<Buffer> {
    const reading = this.#turn.then(() => this.#readOrRecall(startByte, endByteExclusive));
    this.#turn = reading.catch(() => undefined);
    return await reading;
  }

  async #readOrRecall(startByte: number, endByteExclusive: number): Promise<Buffer> {
    this.#signal.throwIfAborted();
    if (!(startByte >= 0 && startByte < endByteExclusive && endByteExclusive <= this.sizeBytes)) {
      throw new ProbeLimitError(`it refers to bytes ${startByte} to ${endByteExclusive}, which are not in the file`);
    }
    const known = this.#kept.find(
      (range) => range.startByte <= startByte && endByteExclusive <= range.startByte + range.bytes.length,
    );
    if (known !== undefined) {
      return known.bytes.subarray(startByte - known.startByte, endByteExclusive - known.startByte);
    }
    const leftBytes = this.#limits.maxBytes - this.#bytesRead;
    if (endByteExclusive - startByte > leftBytes) {
      throw new ProbeLimitError(`more than ${this.#limits.maxBytes} bytes would have to be read`);
    }
    const end = Math.min(
      Math.max(endByteExclusive, startByte + Math.min(SMALLEST_READ_BYTES, leftBytes)),
      this.sizeBytes,
    );
    const bytes = await this.#read(startByte, end);
    this.#kept = [{ startByte, bytes }, ...this.#kept].slice(0, KEPT_RANGES);
    return bytes.subarray(0, endByteExclusive - startByte);
  }

  async #read(startByte: number, endByteExclusive: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(endByteExclusive - startByte);
    this.#bytesRead += bytes.length;
    const pieces = this.#source.read(startByte, endByteExclusive);
    let at = 0;
    try {
      for (;;) {
        const { value, done } = await orAbort(pieces.next(), this.#signal);
        if (done === true) break;
        bytes.set(value, at);
        at += value.length;
      }
    } catch (error) {
      // Not awaited: a source that hangs would hang here too.
      pieces.return().catch(() => undefined);
      if (error instanceof PublishError) this.#sourceError ??= error;
      throw error;
    }
    if (at === bytes.length) return bytes;
    throw new ProbeLimitError(`byte ${startByte + at} could not be read`);
  }
}
