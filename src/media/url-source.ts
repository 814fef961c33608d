import { setTimeout } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { ErrorCode } from '../core/error-table.ts';
import type { MediaKind, MediaSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';
import { STALL_MS } from './remote-body.ts';
import {
  type ByteRange,
  changed,
  expectRange,
  FIRST_BYTES,
  keptMark,
  noRanges,
  openRemoteSource,
  rangeHeader,
} from './remote-source.ts';
import { refuseSize, webPage } from './source-checks.ts';
import { createUrlRequest, discard, firstValue, type Outbound, type UrlRequest } from './url-request.ts';

export interface UrlSourceOptions {
  readonly outbound: Outbound;
  /** Longest time without a byte (ms). Default 15 s. */
  readonly stallMs?: number;
  /** By default a video. */
  readonly kind?: MediaKind | undefined;
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
 * `INPUT_MEDIA_NO_RANGES`, `INPUT_MEDIA_WEB_PAGE`, `INPUT_MEDIA_REDIRECTS`, `INPUT_MEDIA_EMPTY`, `INPUT_MEDIA_TOO_LARGE`, `INPUT_MEDIA_CONTAINER_UNSUPPORTED`,
 * `TRANSPORT_MEDIA_*`, each naming the host and never the URL
 */
export async function openUrlSource(url: string, options: UrlSourceOptions): Promise<MediaSource> {
  const { outbound, stallMs = STALL_MS, kind = 'video' } = options;
  const request = createUrlRequest(url, outbound, stallMs);
  const { name } = request;
  const server = { name, stallMs, kind, explain: (error: unknown) => interrupted(name, error) };
  return await openRemoteSource(server, async (opening) => {
    const { answer, range, validator } = await askAgain(() => askFirst(request, opening), opening.signal);
    return {
      ...{ body: answer.body, range, version: validator.text, isPinStrong: validator.strongEtag !== undefined },
      // Servers of plain files send what is in the file while they send, under the mark it had when they began.
      isCheckedAfterwards: true,
      fetch: (asked, asking) =>
        askAgain(() => fetchPart(request, { asked, sizeBytes: range.totalBytes, validator }, asking), asking.signal),
    };
  });
}

/** What a server may say once: from a cache that misses, a proxy in between, or one of several machines. */
const MAY_PASS: readonly ErrorCode[] = [
  ...(['INPUT_MEDIA_NO_RANGES', 'INPUT_MEDIA_WEB_PAGE', 'INPUT_MEDIA_NOT_FOUND'] as const),
  ...(['INPUT_MEDIA_ACCESS_REFUSED', 'INPUT_MEDIA_CHANGED', 'INPUT_MEDIA_EMPTY'] as const),
  ...(['INPUT_PHOTO_UNSUPPORTED', 'INPUT_PHOTO_REDIRECTS'] as const),
];
const AGAIN_AFTER_MS = [100, 500];

/** Asks up to three times, before an answer that ends the job is believed. */
export async function askAgain<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pauseMs of AGAIN_AFTER_MS) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof PublishError) || !MAY_PASS.includes(error.code)) throw error;
      await setTimeout(pauseMs, undefined, { signal });
    }
  }
  return await ask();
}

async function askFirst({ name, get }: UrlRequest, opening: AbortController) {
  const answer = await get({ range: rangeHeader(FIRST_BYTES) }, opening);
  try {
    if (isEmpty(answer)) refuseSize(name, 0);
    const range = expectPart(name, answer, { asked: FIRST_BYTES });
    const validator = validatorOf(answer.headers);
    if (validator === undefined) throw noRanges(name, 'expected an ETag or Last-Modified, got neither');
    return { answer, range, validator };
  } catch (error) {
    discard(answer);
    throw error;
  }
}

interface PinnedPart {
  readonly asked: ByteRange;
  readonly sizeBytes: number;
  readonly validator: Validator;
}

async function fetchPart({ name, get }: UrlRequest, part: PinnedPart, asking: AbortController) {
  const { strongEtag } = part.validator;
  const condition = strongEtag === undefined ? {} : { 'if-range': strongEtag };
  const answer = await get({ range: rangeHeader(part.asked), ...condition }, asking);
  try {
    expectPinned(name, answer, part);
    return answer.body;
  } catch (error) {
    discard(answer);
    throw error;
  }
}

function expectPinned(name: string, answer: Dispatcher.ResponseData, part: PinnedPart): void {
  // A whole answer is what If-Range gives for another version, and what servers give that know no ranges.
  const now = validatorOf(answer.headers);
  if (answer.statusCode === 412 || answer.statusCode === 416) throw changed(name);
  if (now !== undefined && now.text !== part.validator.text) throw changed(name);
  expectPart(name, answer, part);
  if (now === undefined) {
    const reason = `expected a version of ${name} with each range, got none`;
    throw new PublishError('TRANSPORT_MEDIA_BAD_ANSWER', { reason });
  }
}

/** Of the other words that servers send (`identity`, `none`, `utf-8`, `aws-chunked`) none changes the bytes. */
const COMPRESSED = /gzip|compress|deflate|\bbr\b|zstd/i;

/** The range that an answer holds, which has to be a part of the video as it is stored. @throws PublishError */
function expectPart(name: string, answer: Dispatcher.ResponseData, expected: Parameters<typeof expectRange>[2]) {
  const { statusCode, headers } = answer;
  if (statusCode !== 206 && /html/i.test(firstValue(headers['content-type']) ?? '')) throw webPage(name);
  if (statusCode !== 206) throw noRanges(name, `expected HTTP 206 to a range, got ${statusCode}`);
  if (COMPRESSED.test(String(headers['content-encoding'] ?? ''))) {
    throw noRanges(name, 'expected an uncompressed body, got an encoded body');
  }
  return expectRange(name, firstValue(headers['content-range']), expected);
}

/** An empty file has no first byte: servers answer 416, or 200 with nothing. */
function isEmpty({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  if (statusCode === 416) return /^bytes \*\/0$/.test(firstValue(headers['content-range']) ?? '');
  return statusCode === 200 && headers['content-length'] === '0';
}

function validatorOf(headers: Dispatcher.ResponseData['headers']): Validator | undefined {
  const etag = firstValue(headers.etag)?.trim();
  const modified = firstValue(headers['last-modified'])?.trim();
  const strongEtag = etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
  const mark = strongEtag ?? [etag, modified].filter((part) => part !== undefined && part !== '').join(' ');
  if (mark === '') return undefined;
  return { text: keptMark(mark), strongEtag };
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
