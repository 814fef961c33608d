import { missingScopes } from '../../accounts/scopes.ts';
import { type AccountState, surveyAccounts } from '../../accounts/vault-survey.ts';
import type { App } from '../../app/open-app.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { type Finding, nameList } from './finding.ts';
import { otherAppFindings, refreshTokenFindings } from './grant-findings.ts';

/** Each unreadable account is named on its own, up to this many. */
const MAX_UNREADABLE = 20;

/** Whether every account's tokens can be opened, and what its owner should know. */
export async function accountFindings(
  redis: RedisClient,
  { keys, sealer, config }: Pick<App, 'keys' | 'sealer' | 'config'>,
  now: () => number = Date.now,
): Promise<Finding[]> {
  const { clientKey } = config.tiktok;
  const states: AccountState[] = [];
  for await (const state of surveyAccounts({ redis, keys, sealer, clientKey })) states.push(state);
  if (states.length === 0) {
    const fix = 'Connect one with: tiktok-publisher accounts connect <name>';
    return [{ check: 'accounts', level: 'advice', message: 'no account is connected', fix }];
  }
  const unreadable = states.filter(({ tokens }) => tokens === 'unreadable');
  const message = `${states.length - unreadable.length} of ${states.length} accounts have tokens that can be opened`;
  return [
    { check: 'accounts', level: 'ok', message },
    ...unreadableFindings(unreadable),
    ...otherAppFindings(states),
    ...refreshTokenFindings(states, now()),
    ...groupFindings(states),
  ];
}

const UNREADABLE_FIXES: Readonly<Record<string, string>> = {
  CONFIG_KEY_UNKNOWN:
    'Put the key that sealed it back into ENCRYPTION_KEYS, behind the first; if it is lost, connect the account again.',
  INTERNAL_TAMPERED: 'Find out who else writes to this Redis, then connect the account again.',
};

function unreadableFindings(unreadable: readonly AccountState[]): Finding[] {
  const named = unreadable.slice(0, MAX_UNREADABLE).map(({ account, error }): Finding => {
    const why = `${error?.message ?? 'no reason is known'} (${error?.code})`;
    const fix = UNREADABLE_FIXES[error?.code ?? ''];
    return {
      check: 'accounts',
      level: 'problem',
      message: `the tokens of "${account}" cannot be opened: ${why}`,
      ...(fix !== undefined && { fix }),
    };
  });
  const more = unreadable.length - named.length;
  if (more === 0) return named;
  return [...named, { check: 'accounts', level: 'problem', message: `nor can those of ${more} more accounts` }];
}

interface Group {
  readonly isIn: (state: AccountState) => boolean;
  readonly message: string;
  readonly fix: string;
}

const GROUPS: readonly Group[] = [
  {
    isIn: ({ tokens }) => tokens === 'old_key',
    message: 'sealed with an older key',
    fix: 'Run `tiktok-publisher accounts rekey`, so that the older key can be dropped.',
  },
  {
    isIn: ({ summary }) => summary?.status === 'reauthorization_required',
    message: 'must be connected again, their jobs wait',
    fix: 'Send their owners a link: tiktok-publisher accounts connect <name>',
  },
  {
    isIn: ({ summary }) => summary?.status === 'paused',
    message: 'paused, their jobs wait',
    fix: 'End it with: tiktok-publisher accounts resume <name>',
  },
  {
    isIn: ({ summary }) => missingScopes(summary?.scope).length > 0,
    message: 'without video.publish or video.upload, so that direct posts or drafts fail',
    fix: 'Let their owners connect again and grant both.',
  },
];

function groupFindings(states: readonly AccountState[]): Finding[] {
  return GROUPS.flatMap(({ isIn, message, fix }): Finding[] => {
    const names = states.filter(isIn).map(({ account }) => account);
    if (names.length === 0) return [];
    return [{ check: 'accounts', level: 'advice', message: `${message}: ${nameList(names)}`, fix }];
  });
}
