import { formatContentRange, parseUploadReport } from '../core/content-range.ts';
import type { ErrorCode } from '../core/error-table.ts';
import { PublishError } from '../core/publish-error.ts';
import { uploadStatusToErrorCode } from '../core/tiktok-codes.ts';
import type { RawAnswer } from './classify-error.ts';
import { observed } from './observe-request.ts';
import type { PutChunkAnswer, PutChunkInput } from './tiktok-client.ts';
import type { CallDeps } from './transport.ts';

const UPLOAD_DOMAIN = '.tiktokapis.com';

const ENDPOINT = 'upload';

/** Sends one chunk; see `TikTokClient.putChunk`. The upload URL is the credential, so no token goes along. */
export async function putChunk(deps: CallDeps, input: PutChunkInput): Promise<PutChunkAnswer> {
  const url = parseUploadUrl(input.uploadUrl, deps.apiBaseUrl);
  const { startByte, endByteExclusive } = input.chunk;
  const lengthBytes = endByteExclusive - startByte;
  const facts = { 'tiktok.upload.first_byte': startByte, 'http.request.body.size': lengthBytes };
  return observed({ endpoint: ENDPOINT, facts }, deps, async (note) => {
    const answer = await deps.transport.put({
      endpoint: ENDPOINT,
      url,
      headers: {
        'content-type': input.contentType,
        'content-length': String(lengthBytes),
        'content-range': formatContentRange(startByte, endByteExclusive, input.totalBytes),
      },
      body: exactly(lengthBytes, input.body()),
      signal: input.signal,
    });
    note({ httpStatus: answer.httpStatus });
    return readAnswer(answer, input);
  });
}

/** "206 PartialContent … 201 Created" (content-posting-api-media-transfer-guide); 200 is seen in the wild. */
function readAnswer(answer: RawAnswer, { chunk, totalBytes }: PutChunkInput): PutChunkAnswer {
  const isLastChunk = chunk.endByteExclusive === totalBytes;
  const report = parseUploadReport(answer.contentRange);
  // A report about another total is not about our file.
  const reportedUploadedBytes = report?.totalBytes === totalBytes ? report.reportedBytes : undefined;
  const { httpStatus } = answer;
  if (httpStatus === 206) return { complete: false, reportedUploadedBytes, httpStatus };
  if (httpStatus === 200) return { complete: isLastChunk, reportedUploadedBytes, httpStatus };
  if (httpStatus === 201 && isLastChunk) return { complete: true, reportedUploadedBytes, httpStatus };
  throw uploadError(uploadStatusToErrorCode(httpStatus), answer, reportedUploadedBytes);
}

function uploadError(code: ErrorCode, answer: RawAnswer, reportedUploadedBytes: number | undefined): PublishError {
  return new PublishError(code, {
    endpoint: ENDPOINT,
    httpStatus: answer.httpStatus,
    ...(code === 'UPLOAD_UNEXPECTED_ANSWER' ? { reason: `expected HTTP 206 or 201, got ${answer.httpStatus}` } : {}),
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    ...(reportedUploadedBytes === undefined ? {} : { reportedUploadedBytes }),
  });
}

/** Passes a body on if it is of this very length: undici lets a longer one through, and TikTok would take it. */
async function* exactly(lengthBytes: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let sentBytes = 0;
  for await (const piece of body) {
    sentBytes += piece.byteLength;
    if (sentBytes > lengthBytes) break;
    yield piece;
  }
  if (sentBytes === lengthBytes) return;
  const got = sentBytes > lengthBytes ? 'more' : `${sentBytes}`;
  throw new PublishError('INPUT_MEDIA_CHANGED', { reason: `expected a chunk of ${lengthBytes} bytes, got ${got}` });
}

/**
 * Parses an upload URL if a file may be sent there: https on a host of tiktokapis.com, or the API's own host and port.
 * The URL itself is a credential, so errors name its host only.
 *
 * @throws PublishError `UPLOAD_URL_REFUSED`
 * @internal
 */
export function parseUploadUrl(uploadUrl: string, apiBaseUrl: URL): URL {
  const url = URL.canParse(uploadUrl) ? new URL(uploadUrl) : undefined;
  if (url === undefined) throw new PublishError('UPLOAD_URL_REFUSED', { reason: 'expected an upload URL, got no URL' });
  const hasLogin = url.username !== '' || url.password !== '';
  const isTikTok = url.protocol === 'https:' && url.hostname.endsWith(UPLOAD_DOMAIN);
  // An origin is scheme, host and port: a host that serves the API over https gets no file in the clear.
  if (!hasLogin && (isTikTok || url.origin === apiBaseUrl.origin)) return url;
  throw new PublishError('UPLOAD_URL_REFUSED', {
    reason: `expected an https upload URL on *${UPLOAD_DOMAIN} or on ${apiBaseUrl.host}, got ${url.protocol}//${url.host}`,
  });
}
