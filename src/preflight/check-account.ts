import type { CreatorInfo } from '../core/creator-rules.ts';
import { ERROR_TABLE, type ErrorCode } from '../core/error-table.ts';
import type { PreflightFinding } from '../core/preflight-finding.ts';
import { CHECKED, notChecked, type PartReport } from '../core/preflight-report.ts';
import type { PublishRequest } from '../core/publish-request.ts';

/** What a preflight asks of an account. */
export interface PreflightAccount {
  readonly name: string;
  readonly status: 'active' | 'reauthorization_required' | 'paused';
  /** Nothing: not known what was granted. */
  readonly scopes: readonly string[];
}

/** Where accounts are, and how TikTok is asked about them. */
export interface PreflightAccounts {
  find(nameOrOpenId: string): Promise<PreflightAccount | undefined>;
  /** @throws PublishError as `publisher.creator` */
  askCreator(account: string): Promise<CreatorInfo>;
}

/** What a direct post and a draft need (developers.tiktok.com/doc/tiktok-api-scopes, read 2026-11-22). */
const NEEDED_SCOPE = { direct: 'video.publish', inbox: 'video.upload' } as const;

/** Looks whether the account of a request is there and can post. */
export async function checkAccount(
  { account: nameOrOpenId, mode }: PublishRequest,
  accounts: PreflightAccounts | string,
): Promise<PartReport & { readonly account: PreflightAccount | undefined }> {
  if (typeof accounts === 'string') return { findings: [], part: notChecked(accounts), account: undefined };
  const account = await accounts.find(nameOrOpenId);
  if (account === undefined) {
    const findings = [finding('INPUT_ACCOUNT_UNKNOWN', 'refuse', `no account ${nameOrOpenId} is connected`)];
    return { findings, part: CHECKED, account };
  }
  const { status, scopes } = account;
  const scope = NEEDED_SCOPE[mode];
  const findings = [
    ...(scopes.length > 0 && !scopes.includes(scope)
      ? [finding('AUTH_SCOPE_MISSING', 'refuse', scopes.join(', '), scope)]
      : []),
    // Its jobs wait, and go on by themselves once somebody has helped.
    ...(status === 'paused' ? [finding('AUTH_ACCOUNT_PAUSED', 'warn', 'a paused account')] : []),
    ...(status === 'reauthorization_required'
      ? [finding('AUTH_REAUTHORIZATION_REQUIRED', 'warn', 'an account that must be connected again')]
      : []),
  ];
  return { findings, part: CHECKED, account };
}

function finding(
  code: ErrorCode,
  severity: PreflightFinding['severity'],
  found: string,
  limit: string | null = null,
): PreflightFinding {
  return { code, severity, field: 'account', limit, found, advice: ERROR_TABLE[code].advice };
}
