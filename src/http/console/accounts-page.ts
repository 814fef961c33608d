import type { AccountSummary } from '../../accounts/account-record.ts';
import type { ConnectLink } from '../../accounts/connect-link.ts';
import { READ } from '../../core/access.ts';
import type { AccountJobs, AccountUse } from '../../core/account-use.ts';
import { WAIT_TEXTS } from '../../core/headline.ts';
import { countText, timeText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import {
  actionForm,
  type ConsolePage,
  choiceField,
  listTable,
  may,
  OPERATE,
  type PageContext,
  shown,
  stateBadge,
  textField,
} from './console-page.ts';
import { type ConsoleParts, type ConsoleRoutes, required } from './console-routes.ts';
import { publishPagePath } from './publish-page.ts';
import { searchPath } from './search-address.ts';

export const ACCOUNTS_PATH = '/accounts';
/** Accounts on a page: the jobs of each are looked at. */
const MAX_SHOWN = 20;
const STATUSES = ['active', 'paused', 'reauthorization_required'] as const satisfies AccountSummary['status'][];

const STATUS_TEXTS: Readonly<Record<AccountSummary['status'], string>> = {
  active: '<span class="badge good">connected</span>',
  paused: '<span class="badge wait">paused</span>',
  reauthorization_required: '<span class="badge bad">connect again</span>',
};

interface AccountLine {
  readonly account: AccountSummary;
  readonly jobs: AccountJobs;
  readonly use: AccountUse;
}

interface AccountsFilter {
  readonly account: string;
  readonly status: string;
}

/** Adds the list of accounts, and what operators may do with one. */
export function addAccounts(
  { page, action }: ConsoleRoutes,
  { accountUse, accountJobs }: Pick<ConsoleParts, 'accountUse' | 'accountJobs'>,
): void {
  page(ACCOUNTS_PATH, READ, async ({ query, publisher }, context) => {
    const { account = '', status = '' } = Object(query);
    const filter = { account: String(account), status: String(status) };
    const wanted = (await publisher.accounts.list()).filter(
      (each) => each.account.includes(filter.account) && (filter.status === '' || each.status === filter.status),
    );
    const lines = await Promise.all(
      wanted.slice(0, MAX_SHOWN).map(async (each) => {
        const [jobs, use] = await Promise.all([accountJobs(each.account), accountUse(each.account)]);
        return { account: each, jobs, use };
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

function accountsPage(
  { lines, filter, hiddenCount }: { lines: readonly AccountLine[]; filter: AccountsFilter; hiddenCount: number },
  context: PageContext,
): ConsolePage {
  const path = escapeHtml(context.basePath + ACCOUNTS_PATH);
  const list =
    lines.length === 0
      ? `<p>${filter.account === '' && filter.status === '' ? 'No account is connected yet. Create a connect link, and give it to the owner of the TikTok account.' : 'No account meets this.'}</p>`
      : listTable(
          ['Account', 'Access', 'In line', 'Used of the limits', 'Last outcomes', 'Failed lately', 'Actions'],
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

function accountCells({ account: summary, jobs, use }: AccountLine, context: PageContext): string[] {
  const { account, status, pauseCode, refreshTokenExpiresAt: end, otherApp } = summary;
  const { basePath } = context;
  const act = (name: string, label: string) =>
    actionForm(context, { path: `${ACCOUNTS_PATH}/${name}`, label, values: { account } });
  return [
    `<a href="${searchPath(basePath, { account })}">${shown(account)}</a>`,
    `${STATUS_TEXTS[status]}${pauseCode === null ? '' : `<br><small>for <code>${shown(pauseCode)}</code></small>`}${end === null || status === 'reauthorization_required' ? '' : `<br><small>access until <time>${timeText(end)}</time></small>`}${otherApp ? '<br><small>tokens of another TikTok app</small>' : ''}`,
    lineHtml(account, use, jobs, basePath),
    useHtml(use),
    outcomesHtml(jobs, basePath),
    failedHtml(account, jobs, basePath),
    may(context, OPERATE)
      ? `<div class="actions">${status === 'paused' ? act('resume', 'Resume') : act('pause', 'Pause')}${act('connect-link', 'Create connect link')}</div>`
      : 'read-only',
  ];
}

/** How many jobs are in line, and what those wait for that wait. */
function lineHtml(
  account: string,
  { admitted, waiting }: AccountUse,
  { waitingCount, waitsFor }: AccountJobs,
  basePath: string,
): string {
  const line = admitted + waiting === 0 ? 'none' : `${admitted} with a turn, ${waiting} behind`;
  if (waitsFor === undefined || waitingCount === 0) return line;
  const path = searchPath(basePath, { account, waitingFor: waitsFor });
  return `${line}<br><a href="${path}">${waitingCount}</a> for ${WAIT_TEXTS[waitsFor]}`;
}

/** Of the newest jobs, since all of them may be many. */
function failedHtml(account: string, { newestCount, failedCount }: AccountJobs, basePath: string): string {
  if (failedCount === 0) return 'none';
  const path = searchPath(basePath, { account, state: 'failed,unconfirmed' });
  return `<a href="${path}">${failedCount}</a> of the last ${newestCount}`;
}

function useHtml({ posts, postsADay, calls }: AccountUse): string {
  const look = (used: number, limit: number) => (used >= limit ? ' class="bad"' : '');
  const ofCalls = calls.map(
    ({ endpoint, used, limit }) =>
      `<small${look(used, limit)}>${endpoint.replaceAll('_', ' ')}: ${used} of ${limit} a minute</small>`,
  );
  const ofPosts = `<span${look(posts, postsADay)}>${posts} of about ${postsADay} posts in 24 hours</span>`;
  return [ofPosts, ...ofCalls].join('<br>');
}

function outcomesHtml({ ended }: AccountJobs, basePath: string): string {
  if (ended.length === 0) return 'none';
  const items = ended.map(({ id, state, endedAt }) => {
    const path = escapeHtml(basePath + publishPagePath(id));
    return `<a href="${path}" title="${timeText(endedAt)}">${stateBadge(state)}</a>`;
  });
  return `<div class="actions">${items.join('')}</div>`;
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
