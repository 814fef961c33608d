import { missingScopes } from '../../accounts/scopes.ts';
import { type AccountState, surveyAccounts } from '../../accounts/vault-survey.ts';
import type { App } from '../../app/open-app.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { isOldFormInUse } from '../../sealing/published-key.ts';
import { type Finding, nameList } from './finding.ts';
import { otherAppFindings, refreshTokenFindings } from './grant-findings.ts';

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
