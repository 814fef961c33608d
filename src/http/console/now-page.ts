import type { FastifyRequest } from 'fastify';
import type { AccountSummary } from '../../accounts/account-record.ts';
import type { CallbackOverview } from '../../core/delivery-reports.ts';
import { ERROR_TABLE, isErrorCode } from '../../core/error-table.ts';
import { WAIT_TEXTS } from '../../core/headline.ts';
import type { JobCounts } from '../../core/job-counts.ts';
import { ALL_PUBLISH_STATES, PUBLISH_STATES, WAIT_REASONS } from '../../core/publish-state.ts';
import { countText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { linksHtml } from '../links-page.ts';
import { ACCOUNTS_PATH, searchPath } from './accounts-page.ts';
import { type ConsolePage, listTable, type PageContext, shown } from './console-page.ts';
import { SUBSCRIPTIONS_PATH } from './subscriptions-page.ts';

/** Accounts whose waiting jobs are counted one by one. */
const MAX_COUNTED = 20;

/** How a queue stands. */
export interface QueueReport {
  readonly name: string;
  readonly path: string;
  /** Entries by BullMQ's states. */
  readonly counts: Readonly<Record<string, number>>;
  /** Undefined: Redis does not tell. */
  readonly workers: number | undefined;
}

interface Heldback {
  readonly account: AccountSummary;
  readonly waiting: number;
}

interface NowFacts {
  readonly counts: JobCounts;
  readonly held: readonly Heldback[];
  /** Accounts that are held back and not in `held`. */
  readonly moreHeldCount: number;
  readonly callbacks: CallbackOverview;
  readonly queues: readonly QueueReport[];
}

type Cause = readonly [text: string, action: string];

const HELD = { paused: 'account_paused', reauthorization_required: 'reauthorization', active: 'turn' } as const;

/** What is now, for `/`. */
export async function nowPage(
  { publisher, deliveries }: Pick<FastifyRequest, 'publisher' | 'deliveries'>,
  { queues, warning }: { readonly queues: () => Promise<readonly QueueReport[]>; readonly warning: string | undefined },
  context: PageContext,
): Promise<ConsolePage> {
  const [counts, accounts, overview, reports] = await Promise.all([
    publisher.counts(),
    publisher.accounts.list(),
    deliveries.overview(),
    queues(),
  ]);
  const heldBack = accounts.filter(({ status }) => status !== 'active');
  const held = await Promise.all(
    heldBack.slice(0, MAX_COUNTED).map(async (account): Promise<Heldback> => {
      const { waitingFor } = await publisher.counts({ account: account.account });
      return { account, waiting: waitingFor[HELD[account.status]] ?? 0 };
    }),
  );
  const facts = { counts, held, moreHeldCount: heldBack.length - held.length, callbacks: overview, queues: reports };
  const warned = warning === undefined ? '' : `<p class="state bad">${shown(warning)}</p>\n`;
  return { title: 'Now', isLive: true, body: `${warned}<div id="live">\n${nowHtml(facts, context)}\n</div>` };
}

function nowHtml({ counts, held, moreHeldCount, callbacks, queues }: NowFacts, { basePath }: PageContext): string {
  const causes = [
    ...held.map((each) => heldCause(each, basePath)),
    ...moreHeldCauses(moreHeldCount, basePath),
    ...failureCauses(counts, basePath),
    ...callbackCauses(callbacks, basePath),
  ];
  const needs =
    causes.length === 0
      ? '<p class="state good">Nothing needs a person.</p>'
      : listTable(['Cause', 'What to do'], causes);
  return `<h2>What needs a person</h2>
${needs}
<h2>Publishes</h2>
<ul class="counts">${statesHtml(counts, basePath)}</ul>
${waitsHtml(counts, basePath)}
<h2>Queues</h2>
${listTable(
  ['Queue', 'Ready', 'Active', 'Delayed', 'Failed', 'Workers'],
  queues.map((queue) => queueCells(queue)),
)}
<h2>Deliveries of events</h2>
<p><a href="${escapeHtml(basePath + SUBSCRIPTIONS_PATH)}">${countText(callbacks.counts.waiting + callbacks.counts.delayed, 'event')} to deliver</a>, ${callbacks.counts.failed} failed, ${countText(callbacks.paused.length, 'endpoint')} paused, ${callbacks.disabled.length} disabled.</p>
<h2>More pages</h2>
${linksHtml(basePath)}`;
}

function heldCause({ account: { account, status }, waiting }: Heldback, basePath: string): Cause {
  const jobs =
    waiting === 0
      ? 'No job waits yet'
      : `<a href="${searchPath(basePath, { account, waitingFor: HELD[status] })}">${countText(waiting, 'job')} wait${waiting === 1 ? 's' : ''}</a>`;
  const path = escapeHtml(`${basePath}${ACCOUNTS_PATH}?${new URLSearchParams({ account })}`);
  const name = `<b>${shown(account)}</b>`;
  return status === 'paused'
    ? [`${jobs} because ${name} is paused.`, `<a href="${path}">Resume the account</a>`]
    : [`${jobs} because ${name} must be connected again.`, `<a href="${path}">Create a connect link</a>`];
}

function moreHeldCauses(count: number, basePath: string): Cause[] {
  if (count === 0) return [];
  const path = escapeHtml(`${basePath}${ACCOUNTS_PATH}`);
  return [
    [`${countText(count, 'more account')} paused or to be connected again.`, `<a href="${path}">See the accounts</a>`],
  ];
}

function failureCauses({ codes }: JobCounts, basePath: string): Cause[] {
  return Object.entries(codes)
    .sort(([, one], [, other]) => other - one)
    .map(([code, count]) => {
      const advice = isErrorCode(code) ? ERROR_TABLE[code].advice : '';
      const path = searchPath(basePath, { state: 'failed,unconfirmed', code });
      return [
        `<a href="${path}">${countText(count, 'publish job')}</a> ended with <code>${shown(code)}</code>.`,
        shown(advice),
      ];
    });
}

function callbackCauses({ paused, disabled, counts }: CallbackOverview, basePath: string): Cause[] {
  const see = `<a href="${escapeHtml(basePath + SUBSCRIPTIONS_PATH)}">See the endpoints</a>`;
  const causes: Cause[] = paused.map(({ endpoint, waiting, lastCode }) => [
    `${countText(waiting, 'event')} wait for <b>${shown(endpoint)}</b>, which is paused after <code>${shown(lastCode)}</code>.`,
    see,
  ]);
  if (disabled.length > 0)
    causes.push([`${countText(disabled.length, 'callback URL')} answered 410 and gets nothing more.`, see]);
  if (counts.failed > 0) causes.push([`${countText(counts.failed, 'event')} could not be delivered.`, see]);
  return causes;
}

function statesHtml({ total, states }: JobCounts, basePath: string): string {
  if (total === 0) return '<li>There are no publish jobs yet.</li>';
  return ALL_PUBLISH_STATES.filter((state) => states[state] !== undefined)
    .map(
      (state) =>
        `<li title="${PUBLISH_STATES[state].meaning}"><a href="${searchPath(basePath, { state })}">${states[state]} ${state}</a></li>`,
    )
    .join('');
}

function waitsHtml({ waitingFor }: JobCounts, basePath: string): string {
  const items = WAIT_REASONS.filter((reason) => waitingFor[reason] !== undefined).map(
    (reason) =>
      `<li><a href="${searchPath(basePath, { waitingFor: reason })}">${waitingFor[reason]}</a> for ${WAIT_TEXTS[reason]}</li>`,
  );
  return items.length === 0 ? '' : `<p>Of these wait:</p><ul>${items.join('')}</ul>`;
}

function queueCells({ name, path, counts, workers }: QueueReport): string[] {
  const count = (state: string) => String(counts[state] ?? 0);
  return [
    `<a href="${escapeHtml(path)}">${name}</a>`,
    ...['waiting', 'active', 'delayed', 'failed'].map(count),
    workers === undefined ? 'unknown' : workers === 0 ? '<span class="bad">none</span>' : String(workers),
  ];
}
