import type { CallbackOverview, SubscriptionDeliveries } from '../../core/delivery-reports.ts';
import { PUBLISH_EVENT_TYPES } from '../../core/publish-event.ts';
import { countText, timeText } from '../../core/quantity-text.ts';
import type { Subscription } from '../../core/subscription.ts';
import type { BoardJobs } from '../board-jobs.ts';
import { escapeHtml } from '../escape-html.ts';
import { nameOf } from '../v1/callers.ts';
import { foundSubscription } from '../v1/subscription-routes.ts';
import { attemptsTable } from './attempts-table.ts';
import {
  ADMINISTER,
  actionForm,
  type ConsolePage,
  checkFields,
  confirmedForm,
  listTable,
  may,
  OPERATE_ALL,
  type PageContext,
  shown,
  textField,
  WATCH,
} from './console-page.ts';
import {
  type ConsoleParts,
  type ConsoleRoutes,
  chosenIn,
  type Form,
  idIn,
  listIn,
  required,
} from './console-routes.ts';
import { postLinks } from './post-links.ts';

export const SUBSCRIPTIONS_PATH = '/subscriptions';

/** Adds the endpoints that get events, and what operators may do with them. */
export function addSubscriptions(
  { page, action }: ConsoleRoutes,
  { subscriptions, callbacks, find }: Pick<ConsoleParts, 'subscriptions' | 'callbacks'> & Pick<BoardJobs, 'find'>,
): void {
  page(SUBSCRIPTIONS_PATH, WATCH, async (_request, context) => {
    const [all, overview] = await Promise.all([subscriptions.list(), callbacks.overview()]);
    const stops = stopsOf(overview);
    const ids = overview.failed.map(({ jobId }) => jobId);
    const postLink = await postLinks(ids, context.basePath, find);
    return {
      title: 'Subscriptions',
      body: `${listHtml(all, stops, context)}
${newForm(context)}
<h2>Endpoints that get nothing now</h2>
${stopsHtml(stops, context)}
<h2>Failed deliveries (${overview.counts.failed})</h2>
${failedHtml(overview, context, postLink)}`,
    };
  });
  page(`${SUBSCRIPTIONS_PATH}/:id`, WATCH, async (request, context) => {
    const found = foundSubscription(await callbacks.ofSubscription(idIn(request)));
    return subscriptionPage(found, stopsOf(await callbacks.stopped()), context);
  });
  action(SUBSCRIPTIONS_PATH, ADMINISTER, async (form, { caller }) => {
    await subscriptions.create(requestIn(form), nameOf(caller));
    return { path: SUBSCRIPTIONS_PATH, done: 'subscribed' };
  });
  action(`${SUBSCRIPTIONS_PATH}/test`, ADMINISTER, async (form, { deliveries }) => {
    const id = required(form, 'id');
    foundSubscription(await deliveries.testSubscription(id));
    return { path: `${SUBSCRIPTIONS_PATH}/${encodeURIComponent(id)}`, done: 'tested' };
  });
  action(`${SUBSCRIPTIONS_PATH}/delete`, ADMINISTER, async (form, { caller }) => {
    foundSubscription(await subscriptions.remove(required(form, 'id'), nameOf(caller)));
    return { path: SUBSCRIPTIONS_PATH, done: 'unsubscribed' };
  });
  action(`${SUBSCRIPTIONS_PATH}/resume`, OPERATE_ALL, async (form, { deliveries }) => {
    await deliveries.resume(required(form, 'endpoint'));
    return { path: SUBSCRIPTIONS_PATH, done: 'endpoint' };
  });
  action(`${SUBSCRIPTIONS_PATH}/replay`, OPERATE_ALL, async (_form, { deliveries }) => {
    await deliveries.replayFailed();
    return { path: SUBSCRIPTIONS_PATH, done: 'replayed' };
  });
}

function requestIn(form: Form) {
  const types = chosenIn(form, 'types', PUBLISH_EVENT_TYPES);
  return {
    url: required(form, 'url'),
    types: types.length === 0 ? undefined : types,
    accounts: listIn(form, 'accounts'),
  };
}

function listHtml(all: readonly Subscription[], stops: readonly Stop[], context: PageContext): string {
  if (all.length === 0) {
    return '<p>No endpoint is subscribed yet. A subscription sends events of many jobs to one URL, signed.</p>';
  }
  return listTable(
    ['Endpoint', 'Events', 'Accounts', 'Created', 'Actions'],
    all.map(({ id, endpoint, types, accounts, createdAt, createdBy }) => [
      `<a href="${escapeHtml(`${context.basePath}${SUBSCRIPTIONS_PATH}/${encodeURIComponent(id)}`)}">${shown(endpoint)}</a>${badgesHtml(endpoint, stops)}`,
      types === null ? 'all' : types.join('<br>'),
      accounts === null ? 'all' : shown(accounts.join(', ')),
      `${timeText(createdAt)}<br><small>by ${shown(createdBy)}</small>`,
      subscriptionActions(id, context),
    ]),
  );
}

function subscriptionActions(id: string, context: PageContext): string {
  const values = { id };
  const test = actionForm(context, {
    path: `${SUBSCRIPTIONS_PATH}/test`,
    label: 'Send test event',
    values,
    needs: ADMINISTER,
  });
  const remove = { path: `${SUBSCRIPTIONS_PATH}/delete`, label: 'Delete', values, needs: ADMINISTER };
  return `<div class="actions">${test}${confirmedForm(context, remove, 'Events that were not delivered yet are dropped.')}</div>`;
}

function newForm(context: PageContext): string {
  const { basePath } = context;
  if (!may(context, ADMINISTER)) return '';
  return `<h2>Subscribe an endpoint</h2>
<form method="post" action="${escapeHtml(basePath + SUBSCRIPTIONS_PATH)}"><div class="fields">
${textField('url', 'URL', { type: 'url', extra: ' required' })}
${textField('accounts', 'Only these accounts')}
${checkFields('types', 'Only these events', PUBLISH_EVENT_TYPES)}
</div><p class="note">Without accounts or events: all. Separate accounts by commas.</p><button>Subscribe</button></form>`;
}

/** Why an endpoint, or a URL of it, gets nothing; the reason is HTML. */
interface Stop {
  readonly id: string;
  readonly endpoint: string;
  readonly badge: string;
  readonly why: string;
  readonly since: string;
}

function badgesHtml(endpoint: string, stops: readonly Stop[]): string {
  const badges = stops.filter((stop) => stop.endpoint === endpoint).map(({ badge }) => badge);
  return [...new Set(badges)].map((badge) => `<br><span class="badge bad">${badge}</span>`).join('');
}

function stopsOf({ paused, disabled }: Pick<CallbackOverview, 'paused' | 'disabled'>): Stop[] {
  return [
    ...paused.map(({ id, endpoint, pausedAt, failures, lastCode, waiting }) => {
      const why = `paused after ${countText(failures, 'failure')}, the last <code>${shown(lastCode)}</code>; ${countText(waiting, 'event')} wait`;
      return { id, endpoint, badge: 'paused', why, since: timeText(pausedAt) };
    }),
    // The query is not shown, and another one may still get events.
    ...disabled.map(({ id, endpoint, disabledAt }) => ({
      ...{ id, endpoint, badge: 'answered 410', why: 'a URL of it answered 410', since: timeText(disabledAt) },
    })),
  ];
}

function stopsHtml(stops: readonly Stop[], context: PageContext): string {
  if (stops.length === 0) {
    return '<p>None. An endpoint is paused after repeated failures, and disabled when it answers 410.</p>';
  }
  return listTable(
    ['Endpoint', 'Why', 'Since', 'Action'],
    stops.map(({ id, endpoint, why, since }) => {
      const values = { endpoint: id };
      const resume = { path: `${SUBSCRIPTIONS_PATH}/resume`, label: 'Resume', values, needs: OPERATE_ALL };
      return [shown(endpoint), why, since, actionForm(context, resume)];
    }),
  );
}

function failedHtml(
  { failed, counts }: Pick<CallbackOverview, 'failed' | 'counts'>,
  context: PageContext,
  postLink: (id: string) => string,
): string {
  if (failed.length === 0) return '<p>None.</p>';
  const rows = failed.map(({ jobId, type, at, endpoint, reason }) => [
    shown(type),
    postLink(jobId),
    shown(endpoint ?? 'unknown'),
    shown(reason),
    timeText(at),
  ]);
  const again = actionForm(context, {
    path: `${SUBSCRIPTIONS_PATH}/replay`,
    label: 'Deliver all failed again',
    needs: OPERATE_ALL,
  });
  const note = failed.length < counts.failed ? `<p class="note">These are the latest ${failed.length}.</p>` : '';
  return `${again}${note}${listTable(['Event', 'Of', 'Endpoint', 'Why', 'When'], rows)}`;
}

function subscriptionPage(found: SubscriptionDeliveries, stops: readonly Stop[], context: PageContext): ConsolePage {
  const own = stops.filter(({ endpoint }) => endpoint === found.endpoint);
  return {
    title: `Subscription of ${found.endpoint}`,
    isLive: true,
    body: `${subscriptionActions(found.id, context)}
<div id="live">
${own.length === 0 ? '' : `<section><h2>Stopped</h2>\n${stopsHtml(own, context)}</section>`}
<section><h2>Last deliveries</h2>
${attemptsTable(found.attempts)}</section>
</div>`,
  };
}
