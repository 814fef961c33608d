import type { Dispatcher } from 'undici';
import { parseAnsweredRange } from '../core/content-range.ts';
import type { MediaSource, PhotoFacts } from '../core/ports.ts';
import { MAX_PHOTO_BYTES } from '../core/post-limits.ts';
import { PublishError } from '../core/publish-error.ts';
import { SECOND_MS } from '../core/units.ts';
import { detectPhotoType } from './container-type.ts';
import { jpegSize, webpSize } from './probe/photo-size.ts';
import { rangeHeader } from './remote-source.ts';
import { createUrlRequest, discard, firstValue, type Outbound, type UrlRequest } from './url-request.ts';
import { askAgain } from './url-source.ts';

/** TikTok downloads the photo anyway, so little time is spent on a slow server. */
const MAX_STALL_MS = 5 * SECOND_MS;
/** Enough for the type, and nearly always for the pixels. */
const HEAD_BYTES = 65_536;
/** Cameras and editors put previews before the pixels. */
const LONG_HEAD_BYTES = 1_048_576;

type LookAtUrl = (url: string, options?: { readonly signal?: AbortSignal }) => Promise<PhotoFacts>;

/** Looks at a photo that was opened, and closes it. @throws PublishError of the source */
export async function lookAtSource(source: MediaSource): Promise<PhotoFacts> {
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.read(0, Math.min(source.pin.sizeBytes, LONG_HEAD_BYTES))) {
      pieces.push(Uint8Array.from(piece));
      const size = sizeIn(Buffer.concat(pieces));
      if (size !== null) return { size };
    }
    return { size: null };
  } finally {
    await source.close();
  }
}

/** The first bytes of a photo, and its size where it was told. */
interface PhotoHead {
  readonly bytes: Buffer;
  readonly totalBytes: number | undefined;
}

/**
 * Looks at photos on the web, without a redirect, as TikTok downloads them. Ranges are asked for, but not needed: TikTok may not need them.
 * @param stallMs longest time without a byte; a look takes three times as long at most
 */
export function photoLook(outbound: Outbound, stallMs = MAX_STALL_MS): LookAtUrl {
  const patienceMs = Math.min(stallMs, MAX_STALL_MS);
  return async (url, { signal = new AbortController().signal } = {}) => {
    const request = createUrlRequest(url, outbound, patienceMs, { refusesRedirects: true });
    const timeout = AbortSignal.timeout(3 * patienceMs);
    try {
      return await look(request, AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      if (!timeout.aborted) throw error;
      throw new PublishError('OUTBOUND_NO_ANSWER', { reason: `${request.name} was too slow with the photo` });
    }
  };
}

async function look(request: UrlRequest, signal: AbortSignal): Promise<PhotoFacts> {
  const lookAt = (headBytes: number) =>
    askAgain(async () => factsOf(request.name, await readHead(request, headBytes, signal)), signal);
  const facts = await lookAt(HEAD_BYTES);
  return facts.size === null ? await lookAt(LONG_HEAD_BYTES) : facts;
}

/**
 * What the head of a photo tells.
 * @throws PublishError `INPUT_PHOTO_UNSUPPORTED`, `INPUT_MEDIA_EMPTY`
 */
function factsOf(name: string, { bytes, totalBytes = bytes.length }: PhotoHead): PhotoFacts {
  if (totalBytes === 0) throw new PublishError('INPUT_MEDIA_EMPTY', { reason: `the photo at ${name} is empty` });
  if (detectPhotoType(bytes) === undefined) {
    const reason = `expected a JPEG or WebP image at ${name}, got something else`;
    throw new PublishError('INPUT_PHOTO_UNSUPPORTED', { reason });
  }
  if (totalBytes > MAX_PHOTO_BYTES) {
    const reason = `expected at most ${MAX_PHOTO_BYTES} bytes, got ${totalBytes} at ${name}`;
    throw new PublishError('INPUT_PHOTO_UNSUPPORTED', { reason });
  }
  return { size: sizeIn(bytes) };
}

function sizeIn(head: Buffer): PhotoFacts['size'] {
  return detectPhotoType(head) === 'image/jpeg' ? jpegSize(head) : webpSize(head);
}

async function readHead(request: UrlRequest, headBytes: number, signal: AbortSignal): Promise<PhotoHead> {
  signal.throwIfAborted();
  const asking = new AbortController();
  const abort = () => asking.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const answer = await request.get({ range: rangeHeader({ startByte: 0, endByteExclusive: headBytes }) }, asking);
    try {
      // 416: there is no first byte.
      const isNone = answer.statusCode === 416;
      return isNone ? { bytes: Buffer.alloc(0), totalBytes: 0 } : await headOf(answer, headBytes);
    } finally {
      discard(answer);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PublishError) throw error;
    throw new PublishError('TRANSPORT_MEDIA_INTERRUPTED', {
      reason: `the response from ${request.name} was interrupted`,
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function headOf({ statusCode, headers, body }: Dispatcher.ResponseData, headBytes: number): Promise<PhotoHead> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= headBytes) break;
  }
  const announced = Number(firstValue(headers['content-length']) ?? Number.NaN);
  const whole = Number.isSafeInteger(announced) ? announced : undefined;
  const totalBytes = statusCode === 206 ? parseAnsweredRange(firstValue(headers['content-range']))?.totalBytes : whole;
  return { bytes: Buffer.concat(pieces), totalBytes };
}
