import type { AccountSummary } from '../../accounts/account-record.ts';
import type { AccountState } from '../../accounts/vault-survey.ts';
import { DAY_MS } from '../../core/units.ts';
import { type Finding, nameList } from './finding.ts';

/** Accounts whose tokens were stored for another app: they work to their end and are renewed no more. */
export function otherAppFindings(states: readonly AccountState[]): Finding[] {
  const others = summariesOf(states).filter(({ otherApp }) => otherApp);
  const hints = new Set(others.map(({ clientKey }) => clientKey));
  return [...hints].map((hint) => ({
    check: 'accounts',
    level: 'problem',
    message: `connected by another app (client key ${hint}), so TikTok does not refresh their tokens: ${namesOf(others.filter(({ clientKey }) => clientKey === hint))}`,
    fix: 'Connect them again, or restore the previous TIKTOK_CLIENT_KEY.',
  }));
}

/** Time enough to ask an owner, and far less than the 180 days that TikTok gives (ms). */
const NOTICE_MS = 14 * DAY_MS;

/**
 * Accounts that nobody has used for long. A refresh brings a new refresh token, so that of an account in use never gets
 * old; at its end only the owner can help.
 * @param now ms since the epoch
 */
export function refreshTokenFindings(states: readonly AccountState[], now: number): Finding[] {
  const ends = summariesOf(states)
    .filter(({ status }) => status !== 'reauthorization_required')
    .map(({ account, refreshTokenExpiresAt }) => ({ account, leftMs: Date.parse(refreshTokenExpiresAt ?? '') - now }))
    .filter(({ leftMs }) => leftMs < NOTICE_MS)
    .sort((a, b) => a.leftMs - b.leftMs);
  return [
    ...overFindings(ends.filter(({ leftMs }) => leftMs <= 0)),
    ...soonFindings(ends.filter(({ leftMs }) => leftMs > 0)),
  ];
}

/** An account's refresh token and how long it lives (ms). */
interface End {
  readonly account: string;
  readonly leftMs: number;
}

function overFindings(ends: readonly End[]): Finding[] {
  if (ends.length === 0) return [];
  return [
    {
      check: 'accounts',
      level: 'problem',
      message: `refresh tokens have expired, so the accounts have no access: ${namesOf(ends)}`,
      fix: 'Send a link to their owners: tiktok-publisher accounts connect <name>',
    },
  ];
}

function soonFindings(ends: readonly End[]): Finding[] {
  const [first, ...others] = ends;
  if (first === undefined) return [];
  const days = Math.ceil(first.leftMs / DAY_MS);
  const soonAfter = others.length === 0 ? '' : `, and soon after that those of ${namesOf(others)}`;
  return [
    {
      check: 'accounts',
      level: 'advice',
      message: `the refresh token of "${first.account}" expires in ${days} day${days === 1 ? '' : 's'}${soonAfter}`,
      fix: 'Any use of the account refreshes it, such as GET /v1/accounts/<name>/creator. Or ask the owner to connect it again.',
    },
  ];
}

function summariesOf(states: readonly AccountState[]): AccountSummary[] {
  return states.flatMap(({ summary }) => summary ?? []);
}

function namesOf(accounts: readonly { readonly account: string }[]): string {
  return nameList(accounts.map(({ account }) => account));
}
