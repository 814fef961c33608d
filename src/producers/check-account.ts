import { type CreatorInfo, type CreatorNote, checkCreatorRules } from '../core/creator-rules.ts';
import type { ErrorCode } from '../core/error-table.ts';
import { type LearnedFacts, unauditedProblem } from '../core/learned-facts.ts';
import { findingOf, type PreflightFinding } from '../core/preflight-finding.ts';
import { CHECKED, notChecked, type PartReport } from '../core/preflight-report.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { LaneReason, WaitReason } from '../core/publish-state.ts';
import { SECOND_MS } from '../core/units.ts';
import type { LaneDelay } from '../limits/lanes.ts';
import { POSTS_A_DAY } from '../limits/tiktok-quotas.ts';

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

/** Why an account, by its own name, holds its jobs back; that is known without keys. */
export type HoldOf = (account: string) => Promise<LaneReason | undefined>;

/** What a direct post and a draft need (developers.tiktok.com/doc/tiktok-api-scopes, read 2026-11-22). */
const NEEDED_SCOPE = { direct: 'video.publish', inbox: 'video.upload' } as const;

const REFUSED = { severity: 'refuse', field: 'account', limit: null } as const;
/** Its jobs wait, and go on by themselves once somebody has helped. */
const WAITING = { ...REFUSED, severity: 'warn' } as const;

/** Looks whether the account of a request is there and can post. */
export async function checkAccount(
  { account: nameOrOpenId, mode }: PublishRequest,
  { accounts, holdOf }: { readonly accounts: PreflightAccounts | string; readonly holdOf: HoldOf },
): Promise<PartReport & { readonly account: PreflightAccount | undefined }> {
  if (typeof accounts === 'string') {
    const findings = holdFindings(await holdOf(nameOrOpenId));
    return { findings, part: notChecked(accounts), account: undefined };
  }
  const account = await accounts.find(nameOrOpenId);
  if (account === undefined) {
    const findings = [
      findingOf('INPUT_ACCOUNT_UNKNOWN', { ...REFUSED, found: `no account ${nameOrOpenId} is connected` }),
    ];
    return { findings, part: CHECKED, account };
  }
  const { status, scopes } = account;
  const scope = NEEDED_SCOPE[mode];
  const findings = [
    ...(scopes.length > 0 && !scopes.includes(scope)
      ? [findingOf('AUTH_SCOPE_MISSING', { ...REFUSED, found: scopes.join(', '), limit: scope })]
      : []),
    ...holdFindings(HOLD_OF_STATUS[status]),
  ];
  return { findings, part: CHECKED, account };
}

const HOLD_OF_STATUS = {
  active: undefined,
  paused: 'account_paused',
  reauthorization_required: 'reauthorization',
} as const satisfies Record<PreflightAccount['status'], LaneReason | undefined>;

function holdFindings(hold: LaneReason | undefined): PreflightFinding[] {
  if (hold === 'account_paused') return [findingOf('AUTH_ACCOUNT_PAUSED', { ...WAITING, found: 'a paused account' })];
  if (hold === 'reauthorization')
    return [
      findingOf('AUTH_REAUTHORIZATION_REQUIRED', { ...WAITING, found: 'an account that must be connected again' }),
    ];
  return [];
}

/** Answers that say something of the creator; others say only that nothing is known just now. */
const TELLING: readonly ErrorCode[] = [
  'TIKTOK_DAILY_POST_CAP',
  'TIKTOK_ACTIVE_USER_CAP',
  'TIKTOK_USER_BANNED',
  'AUTH_SCOPE_MISSING',
  'AUTH_TOKEN_INVALID',
  'AUTH_REAUTHORIZATION_REQUIRED',
];

const PRIVACY = { field: 'post.privacyLevel', limit: null } as const;

/** Holds a direct post against what TikTok allows the app, as far as that is known, and its creator just now. */
export async function checkCreator(
  request: PublishRequest,
  {
    durationSeconds,
    accounts,
    account,
    facts,
  }: {
    readonly durationSeconds: number | undefined;
    readonly accounts: PreflightAccounts | string;
    readonly account: PreflightAccount | undefined;
    /** What was learned from TikTok's answers. */
    readonly facts: LearnedFacts;
  },
): Promise<PartReport> {
  const skip = (reason: string): PartReport => ({ findings: [], part: notChecked(reason) });
  if (request.mode === 'inbox') return skip('for a draft, the creator chooses the settings in the app');
  const unaudited = unauditedProblem(request.post?.privacyLevel, facts);
  if (unaudited !== undefined) {
    return {
      findings: [findingOf('TIKTOK_UNAUDITED_CLIENT', { severity: 'refuse', ...PRIVACY, found: unaudited })],
      part: CHECKED,
    };
  }
  if (typeof accounts === 'string') return skip(accounts);
  if (account === undefined) return skip('the account is not connected');
  if (account.status === 'reauthorization_required') return skip('the account must be connected again');
  try {
    const limits = await accounts.askCreator(account.name);
    const { problems, notes } = checkCreatorRules(request, limits, { durationSeconds });
    const findings = [
      ...problems.map(({ code, field, reason }) =>
        findingOf(code, { severity: 'refuse', field, limit: null, found: reason }),
      ),
      ...notes.map(settingOff),
    ];
    return { findings, part: CHECKED };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    if (!TELLING.includes(error.code)) return skip(`the query to TikTok failed: ${error.message}`);
    return { findings: [failureFinding(error, 'post')], part: CHECKED };
  }
}

function settingOff({ field, reason: found }: CreatorNote): PreflightFinding {
  const advice = 'TikTok still publishes the post, but without it.';
  return { code: 'CREATOR_SETTING_OFF', severity: 'warn', field, limit: null, found, advice };
}

/** How much of TikTok's limits is used up. */
export interface PreflightQuota {
  /** How long the next init of an account must wait (ms); 0: not at all. */
  initWaitMs(account: string, endpoint: 'direct_init' | 'inbox_init' | 'photo_init'): Promise<number>;
  /** Direct posts that were begun for an account within a day. */
  postsLastDay(account: string): Promise<number>;
  /** When an account at its daily cap looks again (ms since the epoch). */
  nextDailyTryAt(account: string): Promise<number>;
  /** Until when the app's cap holds an account back (ms since the epoch). */
  heldBackUntil(account: string): Promise<number | undefined>;
  /** What all jobs of an account wait for. */
  delayOf(account: string): Promise<LaneDelay | undefined>;
}

/**
 * Looks for limits at which a request's job would wait at its time. They never refuse it.
 * @param now ms since the epoch
 */
export async function checkQuota(
  { media, mode, scheduledAt }: PublishRequest,
  account: string,
  now: number,
  quota: PreflightQuota,
  { dailyPostCap }: LearnedFacts,
): Promise<PartReport> {
  const startsAt = scheduledAt === undefined ? now : Math.max(now, Date.parse(scheduledAt));
  const warning = { ...WAITING, advice: 'Nothing to do: the job waits automatically.' };
  const again = (at: number) => `looks again at ${new Date(at).toISOString()}`;
  const waitMs = await quota.initWaitMs(account, media.type === 'photos' ? 'photo_init' : `${mode}_init`);
  const delay = await quota.delayOf(account);
  const isDelayed = (reason: WaitReason) => delay?.reason === reason && (delay.until ?? now) >= startsAt;
  const findings = [];
  if (now + waitMs > startsAt) {
    const found = `6 posts already started; the next one can start in ${Math.ceil(waitMs / SECOND_MS)} s`;
    findings.push(findingOf('TIKTOK_RATE_LIMITED', { ...warning, limit: 'at most 6 posts started per minute', found }));
  }
  if (mode === 'inbox' && isDelayed('pending_share_cap')) {
    const found = `an inbox that TikTok reported as full; a waiting job ${again(delay?.until ?? now)}`;
    findings.push(findingOf('TIKTOK_PENDING_SHARE_CAP', { ...WAITING, found }));
  }
  if (mode === 'direct') {
    const posts = await quota.postsLastDay(account);
    const nextTryAt = await quota.nextDailyTryAt(account);
    const cap = dailyPostCap?.value ?? POSTS_A_DAY;
    const limit = `about ${cap} posts of a creator in 24 hours`;
    if (posts >= cap && nextTryAt > startsAt) {
      const found = `${posts}; the job ${again(nextTryAt)}`;
      findings.push(findingOf('TIKTOK_DAILY_POST_CAP', { ...warning, limit, found }));
    } else if (isDelayed('daily_cap')) {
      const found = `a limit that TikTok reported as reached; a waiting job ${again(delay?.until ?? now)}`;
      findings.push(findingOf('TIKTOK_DAILY_POST_CAP', { ...warning, limit, found }));
    }
    const until = await quota.heldBackUntil(account);
    if (until !== undefined && until > startsAt) {
      const found = `an account that this limit holds back; the job ${again(until)}`;
      const below = 'the app below its limit of posting accounts';
      findings.push(findingOf('TIKTOK_ACTIVE_USER_CAP', { ...warning, limit: below, found }));
    }
  }
  return { findings, part: CHECKED };
}

/** An error as a finding: a refusal if the job would fail with it at once, else a warning. */
export function failureFinding(error: PublishError, field: string): PreflightFinding {
  const { code, message, row } = error;
  const severity = row.verdict === 'give_up' ? 'refuse' : 'warn';
  return { code, severity, field, limit: null, found: message, advice: row.advice };
}
