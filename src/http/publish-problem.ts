import type { ErrorCode } from '../core/error-table.ts';
import type { PublishError } from '../core/publish-error.ts';
import type { Problem } from './problem.ts';

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  INPUT_ACCOUNT_UNKNOWN: 404,
  JOB_NOT_FOUND: 404,
  TIKTOK_RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  INTERNAL_TAMPERED: 500,
};

/** An error of ours as a problem document: the same code, what happened and what to do. */
export function publishProblem(error: PublishError): Problem {
  return { status: statusOf(error), code: error.code, detail: `${sentence(error.message)} ${error.row.advice}` };
}

function statusOf({ code, row }: PublishError): number {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith('INPUT_')) return 400;
  if (code.startsWith('CONFIG_') || code.startsWith('REDIS_')) return 503;
  // What is over by itself is TikTok's or the network's trouble; all else is the state that the account is in.
  return row.verdict === 'retry' ? 502 : 409;
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(start) ? start : `${start}.`;
}
