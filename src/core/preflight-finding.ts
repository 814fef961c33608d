import { ERROR_TABLE, type ErrorCode, isErrorCode } from './error-table.ts';
import { PublishError } from './publish-error.ts';

/** What a finding may be called besides the error that a job would fail with. */
type NoteCode =
  | 'MEDIA_NOT_EXAMINED'
  | 'CREATOR_SETTING_OFF'
  | 'FIELD_IGNORED'
  | 'COVER_BEYOND_END'
  | 'COVER_NOT_SHOWN'
  | 'IDEMPOTENCY_KEY_SEEN';

/** One thing that a preflight found. */
export interface PreflightFinding {
  /** Of a refusal: the error that the job would fail with. */
  readonly code: ErrorCode | NoteCode;
  /** `refuse`: it would fail; `warn`: it may fail, or come out other than asked. */
  readonly severity: 'refuse' | 'warn';
  /** What it concerns, such as `media.frameRate` or `post.privacyLevel`. */
  readonly field: string;
  /** What is allowed; null where there is no such thing. */
  readonly limit: string | null;
  /** What there is instead. */
  readonly found: string;
  /** What to do about it. */
  readonly advice: string;
}

/** A finding under an error's code, by default with that error's advice. */
export function findingOf(
  code: ErrorCode,
  finding: Pick<PreflightFinding, 'severity' | 'field' | 'limit' | 'found'> & { readonly advice?: string },
): PreflightFinding {
  const { severity, field, limit, found, advice = ERROR_TABLE[code].advice } = finding;
  return { code, severity, field, limit, found, advice };
}

/** A finding as one line of a timeline or an error message. */
export function findingText({ limit, found }: PreflightFinding): string {
  return limit === null ? found : `expected ${limit}, got ${found}`;
}

/** The error of a job whose preflight refuses it: that of the first refusal, with the words of all. */
export function refusalOf(findings: readonly PreflightFinding[], tell = findingText): PublishError | undefined {
  const refusals = findings.filter(({ severity }) => severity === 'refuse');
  const code = refusals[0]?.code;
  if (code === undefined || !isErrorCode(code)) return undefined;
  return new PublishError(code, { reason: refusals.map(tell).join('; ') });
}
