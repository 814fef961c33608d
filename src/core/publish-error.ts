import type { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from './error-table.ts';
import { withoutLineBreaks } from './printable.ts';
import type { ErrorRow } from './verdict.ts';

/** Facts that may be shown, stored and logged: no token, no upload URL, provider text capped. */
export interface SafeDetails {
  /** What exactly was wrong this time, for example `expected …, got …`. */
  readonly reason?: string;
  /** Which call to TikTok failed. */
  readonly endpoint?: string;
  /** HTTP status of the answer, 100 to 599. */
  readonly httpStatus?: number;
  /** TikTok's own `error.code` or `fail_reason`, as sent. */
  readonly tiktokCode?: string;
  /** TikTok's own text, at most 500 characters. */
  readonly tiktokMessage?: string;
  /** TikTok's log id, for TikTok's support. */
  readonly tiktokLogId?: string;
  /** From Retry-After (ms from the moment of the answer). */
  readonly retryAfterMs?: number;
  /** The N of an upload reply's `Content-Range: bytes 0-N/T`; whether it is a count or a last index is TikTok's secret. */
  readonly reportedUploadedBytes?: number;
  /** TikTok itself declared the publish FAILED, so nothing was and will be published. */
  readonly publishFailed?: true;
  /** Every problem of an invalid input. */
  readonly problems?: readonly InputProblem[];
}

/** One thing wrong with an input: the field, and what to do. */
export interface InputProblem {
  /** The field, such as `post.privacyLevel`, or the name of a setting. */
  readonly path: string;
  /** What was expected; it quotes no value. */
  readonly message: string;
}

const MAX_PROVIDER_TEXT_CHARS = 500;

/** The one error of this program: a stable code plus safe data; its text is made from the two. */
export class PublishError extends Error {
  readonly code: ErrorCode;
  readonly details: SafeDetails;

  constructor(code: ErrorCode, details: SafeDetails = {}, options?: ErrorOptions) {
    const capped = capProviderText(details);
    super(renderMessage(code, capped), options);
    this.name = 'PublishError';
    this.code = code;
    this.details = capped;
  }

  /** This code's row in the error table. */
  get row(): ErrorRow {
    return ERROR_TABLE[this.code];
  }

  /** What to do about it. */
  get advice(): string {
    return this.row.advice;
  }
}

/** Any thrown value as a PublishError; what we did not foresee becomes `INTERNAL_ERROR` and keeps its cause. */
export function toPublishError(error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  const reason = error instanceof Error ? error.name : typeof error;
  return new PublishError('INTERNAL_ERROR', { reason }, { cause: error });
}

/** `JOB_NOT_FOUND`, of an id. */
export function jobNotFound(id: string): PublishError {
  return new PublishError('JOB_NOT_FOUND', { reason: `no publish job has the id ${id}` });
}

function renderMessage(code: ErrorCode, details: SafeDetails): string {
  const parts = [details.reason ?? ERROR_TABLE[code].message];
  const provider = [details.tiktokCode, details.tiktokMessage].filter(Boolean).join(': ');
  if (provider !== '') parts.push(`(TikTok: ${provider})`);
  const problems = (details.problems ?? []).map(({ path, message }) => `\n  - ${path}: ${message}`);
  return parts.join(' ') + problems.join('');
}

/** TikTok's text on one line, at most so long that people read it. */
function shown(text: string): string {
  const line = withoutLineBreaks(text.slice(0, MAX_PROVIDER_TEXT_CHARS + 1));
  return line.length <= MAX_PROVIDER_TEXT_CHARS ? line : `${line.slice(0, MAX_PROVIDER_TEXT_CHARS)}…`;
}

function capProviderText(details: SafeDetails): SafeDetails {
  const { tiktokCode, tiktokMessage, tiktokLogId } = details;
  return {
    ...details,
    ...(tiktokCode !== undefined && { tiktokCode: shown(tiktokCode) }),
    ...(tiktokMessage !== undefined && { tiktokMessage: shown(tiktokMessage) }),
    ...(tiktokLogId !== undefined && { tiktokLogId: shown(tiktokLogId) }),
  };
}

/**
 * What a schema found wrong, as problems that name the field; values are never quoted.
 * @param root what the input as a whole is called
 */
export function toInputProblems(issues: readonly z.core.$ZodIssue[], root: string): InputProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [path, key].filter(Boolean).join('.'),
        message: 'unknown field: remove it or check its spelling',
      }));
    }
    return [{ path: path === '' ? root : path, message: issue.message }];
  });
}
