import { errors } from 'undici';
import type { ErrorCode } from '../core/error-table.ts';
import { PublishError, type SafeDetails } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';
import { tiktokCodeToErrorCode } from '../core/tiktok-codes.ts';
import type { Refusal } from './wire.ts';
import { withoutSecrets } from './without-secrets.ts';

/** An answer of any status, read to its end. */
export interface RawAnswer {
  readonly httpStatus: number;
  /** Empty for answers to chunks, whose bodies TikTok does not document. */
  readonly text: string;
  readonly contentType: string | undefined;
  readonly contentRange: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The credentials that were sent: no text of the answer may show them. */
  readonly sentSecrets: readonly string[];
}

/*
 * A call fails in one of four ways, and each means something else for the post:
 * nothing was sent; no answer came (TikTok may have acted); an answer that is no answer of TikTok's (may have acted);
 * TikTok said no (did not act, unless it says that it failed inside).
 */

/** Marks an error of the connection's making: TikTok cannot have acted. */
export class NothingSentError extends Error {
  readonly code: string;
  /** @param host of TikTok or the proxy */
  constructor(host: string, cause: Error) {
    super(`could not connect to ${host}`, { cause });
    this.name = 'NothingSentError';
    this.code = errorCodeOf(cause);
  }
}

/** What undici names a peer that stopped moving bytes. */
const TIMEOUT_CODES = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'DEADLINE_REACHED'];

/**
 * The PublishError for a call without an answer. What is a PublishError already (a body's own) stays as it is.
 * @param onTimeout the code for a peer that stopped moving bytes
 */
export function classifyNetworkError(
  endpoint: string,
  error: unknown,
  onTimeout: 'TRANSPORT_NO_ANSWER' | 'UPLOAD_STALLED',
): PublishError {
  if (error instanceof PublishError) return error;
  const networkCode = errorCodeOf(error);
  const code = networkErrorCode(error, networkCode, onTimeout);
  const details = { endpoint, reason: reasonOf(error, networkCode) };
  // What undici could not parse it attaches as it came: no cause, since it would end up in logs.
  return new PublishError(code, details, error instanceof errors.HTTPParserError ? undefined : { cause: error });
}

/** The reason of an abort when an API call took too long. */
export class DeadlineReachedError extends Error {
  readonly code = 'DEADLINE_REACHED';
  constructor(deadlineMs: number) {
    super(`no response within ${deadlineMs} ms`);
    this.name = 'DeadlineReachedError';
  }
}

function networkErrorCode(error: unknown, networkCode: string, onTimeout: ErrorCode): ErrorCode {
  // undici refuses to form a request, from a token with a line break for instance, before it sends anything.
  if (error instanceof NothingSentError || error instanceof errors.InvalidArgumentError)
    return 'TRANSPORT_CONNECT_FAILED';
  if (TIMEOUT_CODES.includes(networkCode)) return onTimeout;
  if (error instanceof errors.HTTPParserError || error instanceof errors.ResponseExceededMaxSizeError) {
    return 'TRANSPORT_BAD_ANSWER';
  }
  return 'TRANSPORT_NO_ANSWER';
}

function reasonOf(error: unknown, networkCode: string): string {
  if (error instanceof NothingSentError) return `${error.message}: ${networkCode}`;
  if (error instanceof errors.InvalidArgumentError) return `could not create the request: ${networkCode}`;
  if (error instanceof DeadlineReachedError) return error.message;
  return `expected a response, got ${networkCode}`;
}

function errorCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return codeOf(error) ?? error.name;
}

/** The PublishError for TikTok's own no. @param toErrorCode reads the codes of this kind of endpoint */
export function classifyRefusal(
  endpoint: string,
  answer: RawAnswer,
  refusal: Refusal,
  toErrorCode: (tiktokCode: string, httpStatus: number) => ErrorCode,
): PublishError {
  return new PublishError(toErrorCode(refusal.tiktokCode, answer.httpStatus), answerDetails(endpoint, answer, refusal));
}

/** The PublishError for an answer that is not of the documented shape: judged by its status where that is telling. */
export function classifyMalformedAnswer(endpoint: string, answer: RawAnswer, expected: string): PublishError {
  const byStatus = tiktokCodeToErrorCode('', answer.httpStatus);
  const code = byStatus === 'TIKTOK_UNKNOWN_ERROR' ? 'TRANSPORT_BAD_ANSWER' : byStatus;
  const mediaType = /^[\w.+-]{1,50}\/[\w.+-]{1,50}/.exec(answer.contentType ?? '')?.[0] ?? 'no content type';
  const reason = `expected ${expected}, got HTTP ${answer.httpStatus} with ${mediaType}`;
  return new PublishError(code, { reason, ...answerDetails(endpoint, answer) });
}

function answerDetails(endpoint: string, answer: RawAnswer, refusal?: Refusal): SafeDetails {
  const shown = (text: string) => withoutSecrets(text, answer.sentSecrets);
  return {
    endpoint,
    httpStatus: answer.httpStatus,
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    ...(refusal === undefined || refusal.tiktokCode === '' ? {} : { tiktokCode: shown(refusal.tiktokCode) }),
    ...(refusal?.tiktokMessage === undefined ? {} : { tiktokMessage: shown(refusal.tiktokMessage) }),
    ...(refusal?.tiktokLogId === undefined ? {} : { tiktokLogId: shown(refusal.tiktokLogId) }),
  };
}
