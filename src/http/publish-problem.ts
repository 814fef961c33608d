import type { ErrorCode } from '../core/error-table.ts';
import type { InputProblem, PublishError } from '../core/publish-error.ts';
import { redisRefusalOf } from '../core/redis-trouble.ts';
import { SECOND_MS } from '../core/units.ts';

export interface Problem {
  readonly status: number;
  readonly code: string;
  /** What is wrong and how to fix it, human-readable. */
  readonly detail: string;
  readonly problems?: readonly InputProblem[] | undefined;
  /** When it makes sense to ask again. */
  readonly retryAfterMs?: number | undefined;
}

/** The HTTP status of each code; those that are not here go by their group. */
const BY_CODE: Partial<Record<ErrorCode, number>> = {
  INPUT_ACCOUNT_UNKNOWN: 404,
  INPUT_MEDIA_OUTSIDE_ROOTS: 403,
  JOB_NOT_FOUND: 404,
  CALLBACK_NOT_FOUND: 404,
  EVENTS_CURSOR_LOST: 410,
  IDEMPOTENCY_CONFLICT: 409,
  JOB_NOT_CANCELLABLE: 409,
  JOB_NOT_RETRYABLE: 409,
  TIKTOK_RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  INTERNAL_TAMPERED: 500,
  INTERNAL_OVERTAKEN: 503,
};
/** When to ask again where the error does not say. */
const RETRY_AFTER_MS = 5 * SECOND_MS;

/** An error of ours as a problem document: the same code, what happened, what to do, and every problem of an input. */
export function publishProblem(error: PublishError): Problem {
  const { code, row, details } = error;
  const status = statusOf(error);
  const isBusy = status === 503 && (row.verdict === 'retry' || row.verdict === 'wait');
  const retryAfterMs = details.retryAfterMs ?? (isBusy || code === 'INTERNAL_OVERTAKEN' ? RETRY_AFTER_MS : undefined);
  return {
    ...{ status, code, retryAfterMs },
    detail: `${sentence(textOf(error))} ${row.advice}`,
    problems: isOurs(code) ? undefined : details.problems,
  };
}

/** For errors that operators must fix, callers get the table's message: the reason may name our hosts and paths. */
function textOf({ code, row, message, cause }: PublishError): string {
  // What Redis itself refuses says nothing of where it is.
  if (code === 'REDIS_UNAVAILABLE' && cause instanceof Error) return redisRefusalOf(cause) ?? row.message;
  return isOurs(code) ? row.message : message.split('\n', 1).join('').trim();
}

function isOurs(code: ErrorCode): boolean {
  return /^(CONFIG|REDIS_UNAVAILABLE|INTERNAL)/.test(code);
}

function statusOf({ code, row }: PublishError): number {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith('INPUT_')) return 400;
  if (code.startsWith('CONFIG_') || code.startsWith('REDIS_')) return 503;
  // What passes is an error of TikTok or the network; all else is the state of the account.
  return row.verdict === 'retry' ? 502 : 409;
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(start) ? start : `${start}.`;
}
