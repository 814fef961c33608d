import { checkCreatorRules } from '../core/creator-rules.ts';
import { ERROR_TABLE, type ErrorCode } from '../core/error-table.ts';
import type { PreflightFinding } from '../core/preflight-finding.ts';
import { CHECKED, notChecked, type PartReport } from '../core/preflight-report.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { PreflightAccount, PreflightAccounts } from './check-account.ts';

/** Answers that say something of the creator; others say only that nothing is known just now. */
const TELLING: readonly ErrorCode[] = [
  'TIKTOK_DAILY_POST_CAP',
  'TIKTOK_ACTIVE_USER_CAP',
  'TIKTOK_USER_BANNED',
  'AUTH_SCOPE_MISSING',
  'AUTH_TOKEN_INVALID',
  'AUTH_REAUTHORIZATION_REQUIRED',
];

/** Holds a direct post against what TikTok allows its creator just now. */
export async function checkCreator(
  request: PublishRequest,
  {
    durationSeconds,
    accounts,
    account,
  }: {
    readonly durationSeconds: number | undefined;
    readonly accounts: PreflightAccounts | string;
    readonly account: PreflightAccount | undefined;
  },
): Promise<PartReport> {
  const skip = (reason: string): PartReport => ({ findings: [], part: notChecked(reason) });
  if (request.mode === 'inbox') return skip('for a draft, the creator chooses the settings in the app');
  if (typeof accounts === 'string') return skip(accounts);
  if (account === undefined) return skip('the account is not connected');
  if (account.status === 'reauthorization_required') return skip('the account must be connected again');
  try {
    const limits = await accounts.askCreator(account.name);
    const { problems, notes } = checkCreatorRules(request, limits, { durationSeconds });
    const findings = [
      ...problems.map(({ code, reason }) => finding(code, 'refuse', reason, ERROR_TABLE[code].advice)),
      ...notes.map((note) =>
        finding('CREATOR_SETTING_OFF', 'warn', note, 'TikTok still publishes the post, but without it.'),
      ),
    ];
    return { findings, part: CHECKED };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    if (!TELLING.includes(error.code)) return skip(`the query to TikTok failed: ${error.message}`);
    const severity = error.row.verdict === 'give_up' ? 'refuse' : 'warn';
    return { findings: [finding(error.code, severity, error.message, error.row.advice)], part: CHECKED };
  }
}

function finding(
  code: PreflightFinding['code'],
  severity: PreflightFinding['severity'],
  found: string,
  advice: string,
): PreflightFinding {
  return { code, severity, field: 'post', limit: null, found, advice };
}
