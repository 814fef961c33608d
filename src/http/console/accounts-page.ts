import type { AccountSummary } from '../../accounts/account-record.ts';
import type { ConnectLink } from '../../accounts/connect-link.ts';
import { READ } from '../../core/access.ts';
import type { AccountUse } from '../../core/account-use.ts';
import { WAIT_TEXTS } from '../../core/headline.ts';
import type { JobCounts } from '../../core/job-counts.ts';
import { END_EVENTS, type EndState } from '../../core/publish-event.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { countText, timeText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { PUBLISH_PAGES_PATH, publishPagePath } from '../publish-page.ts';
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

export const ACCOUNTS_PATH = '/accounts';
/** Accounts on a page: the jobs of each are counted. */
const MAX_SHOWN = 20;
const STATUSES = ['active', 'paused', 'reauthorization_required'] as const satisfies AccountSummary['status'][];

const STATUS_TEXTS: Readonly<Record<AccountSummary['status'], string>> = {
  active: '<span class="badge good">connected</span>',
  paused: '<span class="badge wait">paused</span>',
  reauthorization_required: '<span class="badge bad">connect again</span>',
};

interface AccountLine {
  readonly account: AccountSummary;
  readonly counts: JobCounts;
  readonly use: AccountUse;
  /** Those that ended, the newest first. */
  readonly ended: readonly PublishJob[];
}

const ENDED = Object.keys(END_EVENTS) as EndState[];
/** Outcomes that are shown of each account. */
const MAX_OUTCOMES = 5;

interface AccountsFilter {
  readonly account: string;
  readonly status: string;
}

/** Adds the list of accounts, and what operators may do with one. */
export function addAccounts({ page, action }: ConsoleRoutes, { accountUse }: Pick<ConsoleParts, 'accountUse'>): void {
  page(ACCOUNTS_PATH, READ, async ({ query, publisher }, context) => {
    const { account = '', status = '' } = Object(query);
    const filter = { account: String(account), status: String(status) };
    const wanted = (await publisher.accounts.list()).filter(
      (each) => each.account.includes(filter.account) && (filter.status === '' || each.status === filter.status),
    );
    const lines = await Promise.all(
      wanted.slice(0, MAX_SHOWN).map(async (each) => {
        const { account: name } = each;
        const [counts, use, { jobs }] = await Promise.all([
          publisher.counts({ account: name }),
          accountUse(name),
          publisher.list({ account: name, state: ENDED, limit: MAX_OUTCOMES }),
        ]);
        return { account: each, counts, use, ended: jobs };
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
          ['Account', 'Access', 'In line', 'Used of the limits', 'Last outcomes', 'Failed', 'Actions'],
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

function accountCells({ account: summary, counts, use, ended }: AccountLine, context: PageContext): string[] {
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
    lineHtml(use, waits),
    useHtml(use),
    outcomesHtml(ended, basePath),
    failed === 0 ? '0' : `<a href="${searchPath(basePath, { account, state: 'failed' })}">${failed}</a>`,
    may(context, OPERATE)
      ? `<div class="actions">${status === 'paused' ? act('resume', 'Resume') : act('pause', 'Pause')}${act('connect-link', 'Create connect link')}</div>`
      : 'read-only',
  ];
}

/** How many jobs are in line, and what those wait for that wait. */
function lineHtml({ admitted, waiting }: AccountUse, waits: readonly string[]): string {
  const line = admitted + waiting === 0 ? 'none' : `${admitted} with a turn, ${waiting} behind`;
  return [line, ...waits].join('<br>');
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

function outcomesHtml(jobs: readonly PublishJob[], basePath: string): string {
  if (jobs.length === 0) return 'none';
  const items = jobs.map(({ id, state, endedAt }) => {
    const when = endedAt === null ? '' : ` title="${timeText(endedAt)}"`;
    return `<a href="${escapeHtml(basePath + publishPagePath(id))}"${when}>${stateBadge(state)}</a>`;
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
