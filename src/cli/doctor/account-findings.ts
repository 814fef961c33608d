import type { AccountSummary } from '../../accounts/account-record.ts';
import { missingScopes } from '../../accounts/scopes.ts';
import { type AccountState, surveyAccounts } from '../../accounts/vault-survey.ts';
import type { App } from '../../app/open-app.ts';
import { DAY_MS } from '../../core/units.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { isOldFormInUse } from '../../sealing/published-key.ts';
import { type Finding, nameList } from './finding.ts';

/** Each unreadable account is named on its own, up to this many. */
const MAX_UNREADABLE = 20;

/** Whether every account's tokens can be opened, and what its owner should know. */
export async function accountFindings(
  redis: RedisClient,
  { keys, sealer, config }: Pick<App, 'keys' | 'sealer' | 'config'>,
): Promise<Finding[]> {
  const { clientKey } = config.tiktok;
  const states: AccountState[] = [];
  for await (const state of surveyAccounts({ redis, keys, sealer, clientKey })) states.push(state);
  if (states.length === 0) {
    const fix = 'Connect one with: tiktok-publisher accounts connect <name>';
    return [{ check: 'accounts', level: 'advice', message: 'no account is connected', fix }];
  }
  const unreadable = states.filter(({ tokens }) => tokens === 'unreadable');
  const message = `${states.length - unreadable.length} of ${states.length} accounts have tokens that can be decrypted`;
  return [
    { check: 'accounts', level: 'ok', message },
    ...unreadableFindings(unreadable),
    ...otherAppFindings(states),
    ...refreshTokenFindings(states, Date.now()),
    ...groupFindings(states),
    ...((await isOldFormInUse(redis, keys)) ? [OLD_FORM] : []),
  ];
}

const OLD_FORM: Finding = {
  check: 'accounts',
  level: 'advice',
  message: 'secrets are sealed in the form of versions before 0.2.0, which may still run',
  fix: 'Once every process has this version, run `tiktok-publisher accounts rekey`.',
};

const UNREADABLE_FIXES: Readonly<Record<string, string>> = {
  CONFIG_KEY_UNKNOWN:
    'Add the key that encrypted it to ENCRYPTION_KEYS again, after the first key. If the key is lost, connect the account again.',
  INTERNAL_TAMPERED: 'Find out which other program writes to this Redis, then connect the account again.',
};

function unreadableFindings(unreadable: readonly AccountState[]): Finding[] {
  const named = unreadable.slice(0, MAX_UNREADABLE).map(({ account, error }): Finding => {
    const why = `${error?.message ?? 'reason unknown'} (${error?.code})`;
    const fix = UNREADABLE_FIXES[error?.code ?? ''];
    return {
      check: 'accounts',
      level: 'problem',
      message: `the tokens of "${account}" cannot be decrypted: ${why}`,
      ...(fix !== undefined && { fix }),
    };
  });
  const more = unreadable.length - named.length;
  if (more === 0) return named;
  return [
    ...named,
    { check: 'accounts', level: 'problem', message: `the tokens of ${more} more accounts cannot be decrypted either` },
  ];
}

interface Group {
  readonly isIn: (state: AccountState) => boolean;
  readonly message: string;
  readonly fix: string;
}

const GROUPS: readonly Group[] = [
  {
    isIn: ({ tokens }) => tokens === 'old_key',
    message: 'encrypted with an older key',
    fix: 'Run `tiktok-publisher accounts rekey`. Then you can remove the older key.',
  },
  {
    isIn: ({ summary }) => summary?.status === 'reauthorization_required',
    message: 'must be connected again; their jobs wait',
    fix: 'Send a link to their owners: tiktok-publisher accounts connect <name>',
  },
  {
    isIn: ({ summary }) => summary?.status === 'paused',
    message: 'paused; their jobs wait',
    fix: 'To resume one: tiktok-publisher accounts resume <name>',
  },
  {
    isIn: ({ summary }) => missingScopes(summary?.scope).length > 0,
    message: 'without the scope video.publish or video.upload; direct posts or drafts fail',
    fix: 'Ask their owners to connect again and grant both scopes.',
  },
];

function groupFindings(states: readonly AccountState[]): Finding[] {
  return GROUPS.flatMap(({ isIn, message, fix }): Finding[] => {
    const names = states.filter(isIn).map(({ account }) => account);
    if (names.length === 0) return [];
    return [{ check: 'accounts', level: 'advice', message: `${message}: ${nameList(names)}`, fix }];
  });
}

/** Accounts whose tokens were stored for another app: they work to their end and are renewed no more. */
function otherAppFindings(states: readonly AccountState[]): Finding[] {
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
function refreshTokenFindings(states: readonly AccountState[], now: number): Finding[] {
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
