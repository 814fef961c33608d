import type { FastifyRequest } from 'fastify';
import { isErrorCode } from '../../core/error-table.ts';
import { WAIT_TEXTS } from '../../core/headline.ts';
import type { JobCounts } from '../../core/job-counts.ts';
import { ALL_PUBLISH_STATES, PUBLISH_STATES, WAIT_REASONS } from '../../core/publish-state.ts';
import { countText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { linksHtml, OPEN_LINKS } from '../links-page.ts';
import {
  type CauseFacts,
  causesOf,
  type FailureGroup,
  type HeldAccount,
  type QueueReport,
  seenHtml,
} from './causes.ts';
import { type ConsolePage, listTable, may, type PageContext, shown, WATCH } from './console-page.ts';
import type { ConsoleParts } from './console-routes.ts';
import { pauseForm } from './pause-banner.ts';
import { searchPath } from './search-address.ts';
import { rangeIn, statisticsHtml } from './statistics-section.ts';
import { SUBSCRIPTIONS_PATH } from './subscriptions-page.ts';

/** Accounts that are named one by one. */
const MAX_COUNTED = 20;

interface NowOptions extends Pick<ConsoleParts, 'accountJobs' | 'seenFailures' | 'statistics' | 'warning'> {
  readonly queues: () => Promise<readonly QueueReport[]>;
}

/** What is now, for `/`. What concerns all accounts is for those alone who may see them. */
export async function nowPage(
  { publisher, deliveries, query }: Pick<FastifyRequest, 'publisher' | 'deliveries' | 'query'>,
  { queues, accountJobs, seenFailures, statistics, warning }: NowOptions,
  context: PageContext,
): Promise<ConsolePage> {
  const range = rangeIn(query);
  const seesAll = may(context, WATCH);
  const now = new Date().toISOString();
  const [counts, heldBack, callbacks, reports, buckets, seen] = await Promise.all([
    publisher.counts(),
    publisher.accounts.list({ held: true }),
    seesAll ? deliveries.overview() : undefined,
    seesAll ? queues() : [],
    seesAll ? statistics.read(range) : undefined,
    seenFailures.read(),
  ]);
  const failures = await Promise.all(
    Object.entries(counts.codes).map(async ([code, count]): Promise<FailureGroup> => {
      const seenAt = seen.get(code)?.at;
      return { code, count, seenAt, hasNew: seenAt === undefined || (await hasEndedSince(seenAt, code, publisher)) };
    }),
  );
  const held = await Promise.all(
    heldBack.slice(0, MAX_COUNTED).map(async (account): Promise<HeldAccount> => {
      const { waitingCount } = await accountJobs(account.account);
      return { account, waiting: waitingCount };
    }),
  );
  const facts = { failures, now, held, moreHeldCount: heldBack.length - held.length, callbacks, queues: reports };
  const parts = [
    warning === undefined || !seesAll ? '' : `<p class="state bad">${shown(warning)}</p>`,
    causesHtml(facts, context),
    `<h2>Publishes</h2>\n<ul class="counts">${statesHtml(counts, context.basePath)}</ul>\n${waitsHtml(counts, context.basePath)}`,
    buckets === undefined ? '' : statisticsHtml(buckets, range, `${context.basePath}/`),
    queuesHtml(facts, context.basePath),
  ];
  const live = parts
    .filter((part) => part !== '')
    .map((part) => `<section>${part}</section>`)
    .join('\n');
  return {
    title: 'Now',
    isLive: true,
    body: `${pauseForm(context)}\n<div id="live">\n${live}\n</div>\n<h2>More pages</h2>\n${linksHtml(context.basePath, seesAll ? undefined : OPEN_LINKS)}`,
  };
}

/** Whether a job failed with a code after a time. */
async function hasEndedSince(
  endedFrom: string,
  code: string,
  { list }: Pick<FastifyRequest['publisher'], 'list'>,
): Promise<boolean> {
  if (!isErrorCode(code)) return true;
  const { jobs, nextCursor } = await list({ state: ['failed', 'unconfirmed'], code, endedFrom, limit: 1 });
  // Where a search has found nothing so far among very many, there may be one.
  return jobs.length > 0 || nextCursor !== null;
}

function causesHtml(facts: CauseFacts, context: PageContext): string {
  const causes = causesOf(facts, context);
  const list =
    causes.length === 0
      ? '<p class="state good">Nothing needs a person.</p>'
      : listTable(['Cause', 'What to do'], causes);
  return `<h2>What needs a person</h2>\n${list}\n${seenHtml(facts, context)}`;
}

function queuesHtml({ queues, callbacks }: CauseFacts, basePath: string): string {
  if (callbacks === undefined) return '';
  const { counts, paused, disabled } = callbacks;
  const path = escapeHtml(basePath + SUBSCRIPTIONS_PATH);
  return `<h2>Queues</h2>
${listTable(
  ['Queue', 'Ready', 'Active', 'Delayed', 'Failed', 'Workers'],
  queues.map((queue) => queueCells(queue)),
)}
<h2>Deliveries of events</h2>
<p><a href="${path}">${countText(counts.waiting + counts.delayed, 'event')} to deliver</a>, ${counts.failed} failed, ${countText(paused.length, 'endpoint')} paused, ${disabled.length} disabled.</p>`;
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
