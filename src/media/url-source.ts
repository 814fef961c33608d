import type { Dispatcher } from 'undici';
import { parseAnsweredRange } from '../core/content-range.ts';
import type { MediaSource, SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';
import { CONTAINER_PROBE_BYTES } from './container-type.ts';
import { readExactly, STALL_MS } from './remote-body.ts';
import {
  type ByteRange,
  createRemoteSource,
  isRange,
  keptMark,
  noRanges,
  type RemoteVideo,
  rangeHeader,
  refuseRemoteContainer,
  refuseRemoteSize,
} from './remote-source.ts';
import { createUrlRequest, firstValue, type Outbound, type UrlRequest } from './url-request.ts';

export interface UrlSourceOptions {
  readonly outbound: Outbound;
  /** Longest time without a byte (ms). Default 15 s. */
  readonly stallMs?: number;
}

/** What stands for the version of a video: an ETag, else its time. */
interface Validator {
  readonly text: string;
  /** A strong ETag, which changes with every byte and can be a condition. */
  readonly strongEtag: string | undefined;
}

/**
 * Opens a video on the web, which is read by ranges and not stored. One request of 4 KiB finds size, version and
 * container. A URL's user and password are sent as a header, to its own origin only.
 *
 * @throws PublishError `OUTBOUND_*`, `INPUT_MEDIA_NOT_FOUND`, `INPUT_MEDIA_ACCESS_REFUSED`, `INPUT_MEDIA_URL_EXPIRED`,
 * `INPUT_MEDIA_NO_RANGES`, `INPUT_MEDIA_EMPTY`, `INPUT_MEDIA_TOO_LARGE`, `INPUT_MEDIA_CONTAINER_UNSUPPORTED`,
 * `TRANSPORT_MEDIA_*`, each naming the host and never the URL
 */
export async function openUrlSource(url: string, options: UrlSourceOptions): Promise<MediaSource> {
  const { outbound, stallMs = STALL_MS } = options;
  const request = createUrlRequest(url, outbound, stallMs);
  const { name } = request;
  const opening = new AbortController();
  const abort = (reason: unknown): void => opening.abort(reason);
  try {
    const { answer, range, validator } = await firstRange(request, opening);
    const firstBytes = await readExactly(answer.body, { name, lengthBytes: range.endByteExclusive, stallMs, abort });
    const contentType = refuseRemoteContainer(name, firstBytes);
    const pin = { sizeBytes: range.totalBytes, version: validator.text };
    return createRemoteSource(pinnedVideo(request, { pin, validator, stallMs }), contentType);
  } catch (error) {
    if (opening.signal.aborted) throw opening.signal.reason;
    throw interrupted(name, error);
  } finally {
    // A refused answer's body occupies its connection.
    abort(new Error('opening the source was aborted'));
  }
}

async function firstRange(request: UrlRequest, opening: AbortController) {
  const { name } = request;
  const answer = await request.get(
    { range: rangeHeader({ startByte: 0, endByteExclusive: CONTAINER_PROBE_BYTES }) },
    opening,
  );
  const { statusCode, headers } = answer;
  if (isEmpty(answer)) refuseRemoteSize(name, 0);
  if (statusCode !== 206) throw noRanges(name, `expected HTTP 206 to a range, got ${statusCode}`);
  refuseEncoding(name, answer);
  const range = parseAnsweredRange(firstValue(headers['content-range']));
  const expected = { startByte: 0, endByteExclusive: Math.min(CONTAINER_PROBE_BYTES, range?.totalBytes ?? 0) };
  if (!isRange(range, expected)) throw otherRange(name, headers);
  refuseRemoteSize(name, range.totalBytes);
  const validator = validatorOf(headers);
  if (validator === undefined) throw noRanges(name, 'expected an ETag or Last-Modified, got neither');
  return { answer, range, validator };
}

/** An empty file has no first byte: servers answer 416, or 200 with nothing. */
function isEmpty({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  if (statusCode === 416) return /^bytes \*\/0$/.test(firstValue(headers['content-range']) ?? '');
  return statusCode === 200 && headers['content-length'] === '0';
}

interface Pinned {
  readonly pin: SourcePin;
  readonly validator: Validator;
  readonly stallMs: number;
}

function pinnedVideo(request: UrlRequest, { pin, validator, stallMs }: Pinned): RemoteVideo {
  const { name } = request;
  const condition = validator.strongEtag === undefined ? {} : { 'if-range': validator.strongEtag };

  async function fetch(range: ByteRange, asking: AbortController) {
    const answer = await request.get({ range: rangeHeader(range), ...condition }, asking);
    const { statusCode, headers } = answer;
    // A whole answer is what If-Range gives for another version, and what servers give that know no ranges.
    const now = validatorOf(headers);
    if (statusCode === 412 || statusCode === 416) throw changed(name);
    if (now !== undefined && now.text !== validator.text) throw changed(name);
    if (statusCode !== 206) throw noRanges(name, `expected HTTP 206 to a range, got ${statusCode}`);
    refuseEncoding(name, answer);
    const answered = parseAnsweredRange(firstValue(headers['content-range']));
    if (answered !== undefined && answered.totalBytes !== pin.sizeBytes) throw changed(name);
    if (!isRange(answered, range)) throw otherRange(name, headers);
    if (now === undefined) {
      const reason = `expected a version of ${name} with each range, got none`;
      throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
    }
    return answer.body;
  }

  return {
    ...{ name, pin, stallMs, fetch },
    isPinStrong: validator.strongEtag !== undefined,
    explain: (error) => interrupted(name, error),
    // Servers of plain files send what is in the file while they send, under the mark it had when they began.
    isCheckedAfterwards: true,
  };
}

function validatorOf(headers: Dispatcher.ResponseData['headers']): Validator | undefined {
  const etag = firstValue(headers.etag)?.trim();
  const modified = firstValue(headers['last-modified'])?.trim();
  const strongEtag = etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
  const mark = strongEtag ?? [etag, modified].filter((part) => part !== undefined && part !== '').join(' ');
  if (mark === '') return undefined;
  return { text: keptMark(mark), strongEtag };
}

function refuseEncoding(name: string, { headers }: Dispatcher.ResponseData): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding === 'identity') return;
  throw noRanges(name, `expected an uncompressed body, got an encoded body`);
}

function changed(name: string): PublishError {
  return new PublishError('INPUT_MEDIA_CHANGED', {
    reason: `the video at ${name} has changed since the start of the job`,
  });
}

function otherRange(name: string, headers: Dispatcher.ResponseData['headers']): PublishError {
  const got = headers['content-range'] === undefined ? 'none' : 'another';
  const reason = `expected the requested range from ${name}, got ${got}`;
  return new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
}

/** A body that broke; the cause's code only, since undici may attach what it read. */
function interrupted(name: string, error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  if (!(error instanceof Error)) return new PublishError('TRANSPORT_MEDIA_INTERRUPTED', { reason: name });
  const cause = codeOf(error) ?? error.name;
  return new PublishError('TRANSPORT_MEDIA_INTERRUPTED', {
    reason: `the response from ${name} was interrupted (${cause})`,
  });
}
