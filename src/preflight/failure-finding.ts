import type { PreflightFinding } from '../core/preflight-finding.ts';
import type { PublishError } from '../core/publish-error.ts';

/** An error as a finding: a refusal if the job would fail with it at once, else a warning. */
export function failureFinding(error: PublishError, field: string): PreflightFinding {
  const { code, message, row } = error;
  const severity = row.verdict === 'give_up' ? 'refuse' : 'warn';
  return { code, severity, field, limit: null, found: message, advice: row.advice };
}
