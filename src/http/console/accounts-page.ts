import type { AccountSummary } from '../../accounts/account-record.ts';
import type { ConnectLink } from '../../accounts/connect-link.ts';
import { READ } from '../../core/access.ts';
import { WAIT_TEXTS } from '../../core/headline.ts';
import type { JobCounts } from '../../core/job-counts.ts';
import { countText, timeText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { PUBLISH_PAGES_PATH } from '../publish-page.ts';
import {
  actionForm,
  type ConsolePage,
  choiceField,
  listTable,
  may,
  OPERATE,
  type PageContext,
  shown,
  textField,
} from './console-page.ts';
import { type ConsoleRoutes, required } from './console-routes.ts';

export const ACCOUNTS_PATH = '/accounts';
/** Accounts on a page: the jobs of each are counted. */
const MAX_SHOWN = 50;
const STATUSES = ['active', 'paused', 'reauthorization_required'] as const satisfies AccountSummary['status'][];

const STATUS_TEXTS: Readonly<Record<AccountSummary['status'], string>> = {
  active: '<span class="badge good">connected</span>',
  paused: '<span class="badge wait">paused</span>',
  reauthorization_required: '<span class="badge bad">connect again</span>',
};

interface AccountLine {
  readonly account: AccountSummary;
  readonly counts: JobCounts;
}

interface AccountsFilter {
  readonly account: string;
  readonly status: string;
}

/** Adds the list of accounts, and what operators may do with one. */
export function addAccounts({ page, action }: ConsoleRoutes): void {
  page(ACCOUNTS_PATH, READ, async ({ query, publisher }, context) => {
    const { account = '', status = '' } = Object(query);
    const filter = { account: String(account), status: String(status) };
    const wanted = (await publisher.accounts.list()).filter(
      (each) => each.account.includes(filter.account) && (filter.status === '' || each.status === filter.status),
    );
    const lines = await Promise.all(
      wanted.slice(0, MAX_SHOWN).map(async (each) => {
        return { account: each, counts: await publisher.counts({ account: each.account }) };
      }),
    );
    return accountsPage({ lines, filter, hiddenCount: wanted.length - lines.length }, context);
  });
  action(`${ACCOUNTS_PATH}/pause`, OPERATE, async (form, { publisher }) => {
    await publisher.accounts.pause(required(form, 'account'));
    return { path: ACCOUNTS_PATH, done: 'paused' };
  });
  action(`${ACCOUNTS_PATH}/resume`, OPERATE, async (form, { publisher }) => {
    await publisher.accounts.resume(required(form, 'account'));
    return { path: ACCOUNTS_PATH, done: 'resumed' };
  });
  action(`${ACCOUNTS_PATH}/connect-link`, OPERATE, async (form, { publisher }) =>
    linkPage(await publisher.connectLink({ account: required(form, 'account') })),
  );
}

/** The address of the publishes that meet a filter, as HTML. */
export function searchPath(basePath: string, query: Readonly<Record<string, string>>): string {
  return escapeHtml(`${basePath}${PUBLISH_PAGES_PATH}?${new URLSearchParams(query)}`);
}

function accountsPage(
  { lines, filter, hiddenCount }: { lines: readonly AccountLine[]; filter: AccountsFilter; hiddenCount: number },
  context: PageContext,
): ConsolePage {
  const path = escapeHtml(context.basePath + ACCOUNTS_PATH);
  const list =
    lines.length === 0
      ? `<p>${filter.account === '' && filter.status === '' ? 'No account is connected yet. Create a connect link, and give it to the owner of the TikTok account.' : 'No account meets this.'}</p>`
      : listTable(
          ['Account', 'Access', 'Jobs that wait', 'Failed', 'Actions'],
          lines.map((line) => accountCells(line, context)),
        );
  return {
    title: 'Accounts',
    body: `<form method="get" action="${path}" role="search"><div class="fields">
${textField('account', 'Name contains', { value: filter.account })}
${choiceField('status', 'Access', ['', ...STATUSES], filter.status)}
</div><p class="actions"><button>Search</button> <a href="${path}">Clear</a></p></form>
${list}
${hiddenCount === 0 ? '' : `<p class="note">${countText(hiddenCount, 'more account')}: search by name.</p>`}
${connectForm(context)}`,
  };
}

function accountCells({ account: summary, counts }: AccountLine, context: PageContext): string[] {
  const { account, status, refreshTokenExpiresAt: end, otherApp } = summary;
  const { basePath } = context;
  const waits = Object.entries(counts.waitingFor).map(([waitingFor, count]) => {
    const text = WAIT_TEXTS[waitingFor as keyof typeof WAIT_TEXTS];
    return `<a href="${searchPath(basePath, { account, waitingFor })}">${count}</a> for ${text}`;
  });
  const failed = counts.states.failed ?? 0;
  const act = (name: string, label: string) =>
    actionForm(context, { path: `${ACCOUNTS_PATH}/${name}`, label, values: { account } });
  return [
    `<a href="${searchPath(basePath, { account })}">${shown(account)}</a>`,
    `${STATUS_TEXTS[status]}${end === null ? '' : `<br><small>until ${timeText(end)}</small>`}${otherApp ? '<br><small>tokens of another TikTok app</small>' : ''}`,
    waits.length === 0 ? 'none' : waits.join('<br>'),
    failed === 0 ? '0' : `<a href="${searchPath(basePath, { account, state: 'failed' })}">${failed}</a>`,
    may(context, OPERATE)
      ? `<div class="actions">${status === 'paused' ? act('resume', 'Resume') : act('pause', 'Pause')}${act('connect-link', 'Create connect link')}</div>`
      : 'read-only',
  ];
}

function connectForm(context: PageContext): string {
  const { basePath } = context;
  if (!may(context, OPERATE)) return '';
  return `<h2>Connect an account</h2>
<form method="post" action="${escapeHtml(`${basePath}${ACCOUNTS_PATH}/connect-link`)}">
<div class="fields"><div><label for="new-account">Name for the account</label><input id="new-account" name="account" required maxlength="128"></div></div>
<button>Create connect link</button></form>`;
}

function linkPage({ account, url, expiresAt }: ConnectLink): ConsolePage {
  return {
    title: `Connect link for ${account}`,
    body: `<p>Give this link to the owner of the TikTok account. It works once, until ${timeText(expiresAt)}. It is shown only now.</p>
<p class="shown-once"><code>${escapeHtml(url)}</code></p>
<p>Whoever has the link can connect an account as <b>${shown(account)}</b>.</p>`,
  };
}
