import type { FailedEvent, PausedEndpoint, SubscriptionDeliveries } from '../../core/delivery-reports.ts';
import { PUBLISH_EVENT_TYPES, type PublishEventType } from '../../core/publish-event.ts';
import { timeText } from '../../core/quantity-text.ts';
import type { Subscription } from '../../core/subscription.ts';
import type { BoardJobs } from '../board-jobs.ts';
import { escapeHtml } from '../escape-html.ts';
import { HttpProblem } from '../problem.ts';
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
import { type ConsoleParts, type ConsoleRoutes, type Form, listIn, required } from './console-routes.ts';
import { postLinks } from './post-links.ts';

export const SUBSCRIPTIONS_PATH = '/subscriptions';

/** Adds the endpoints that get events, and what operators may do with them. */
export function addSubscriptions(
  { page, action }: ConsoleRoutes,
  { subscriptions, callbacks, find }: Pick<ConsoleParts, 'subscriptions' | 'callbacks'> & Pick<BoardJobs, 'find'>,
): void {
  page(SUBSCRIPTIONS_PATH, WATCH, async (_request, context) => {
    const [all, { paused, disabled, failed, counts }] = await Promise.all([subscriptions.list(), callbacks.overview()]);
    const stopped = [...paused.map(pausedCells), ...disabled.map(disabledCells)].map(([id, ...cells]) => [
      ...cells,
      actionForm(context, {
        path: `${SUBSCRIPTIONS_PATH}/resume`,
        label: 'Resume',
        values: { endpoint: id },
        needs: OPERATE_ALL,
      }),
    ]);
    const ids = failed.map(({ jobId }) => jobId);
    const postLink = await postLinks(ids, context.basePath, find);
    return {
      title: 'Subscriptions',
      body: `${listHtml(all, context)}
${newForm(context)}
<h2>Endpoints that get nothing now</h2>
${stopped.length === 0 ? '<p>None. An endpoint is paused after repeated failures, and disabled when it answers 410.</p>' : listTable(['Endpoint', 'Why', 'Since', 'Action'], stopped)}
<h2>Failed deliveries (${counts.failed})</h2>
${failedHtml(failed, context, postLink)}`,
    };
  });
  page(`${SUBSCRIPTIONS_PATH}/:id`, WATCH, async ({ params }, context) => {
    const found = foundSubscription(await callbacks.ofSubscription(String(Object(params).id)));
    return subscriptionPage(found, context);
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

const UNKNOWN_TYPE = {
  status: 400,
  code: 'REQUEST_INVALID',
  detail: 'The form names an event type that does not exist. Open the page again.',
};

function requestIn(form: Form) {
  const given = form.getAll('types');
  const types = given.filter(isEventType);
  if (types.length < given.length) throw new HttpProblem(UNKNOWN_TYPE);
  return {
    url: required(form, 'url'),
    types: types.length === 0 ? undefined : types,
    accounts: listIn(form, 'accounts'),
  };
}

function isEventType(text: string): text is PublishEventType {
  return PUBLISH_EVENT_TYPES.some((type) => type === text);
}

function listHtml(all: readonly Subscription[], context: PageContext): string {
  if (all.length === 0) {
    return '<p>No endpoint is subscribed yet. A subscription sends events of many jobs to one URL, signed.</p>';
  }
  return listTable(
    ['Endpoint', 'Events', 'Accounts', 'Created', 'Actions'],
    all.map(({ id, endpoint, types, accounts, createdAt, createdBy }) => [
      `<a href="${escapeHtml(`${context.basePath}${SUBSCRIPTIONS_PATH}/${encodeURIComponent(id)}`)}">${shown(endpoint)}</a>`,
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

function pausedCells({ id, endpoint, pausedAt, failures, lastCode, waiting }: PausedEndpoint): [string, ...string[]] {
  const why = `paused after ${failures} failures, the last <code>${shown(lastCode)}</code>; ${waiting} events wait`;
  return [id, shown(endpoint), why, timeText(pausedAt)];
}

function disabledCells(url: { id: string; endpoint: string; disabledAt: string }): [string, ...string[]] {
  return [url.id, shown(url.endpoint), 'it answered 410', timeText(url.disabledAt)];
}

function failedHtml(failed: readonly FailedEvent[], context: PageContext, postLink: (id: string) => string): string {
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
  return `${listTable(['Event', 'Of', 'Endpoint', 'Why', 'When'], rows)}${again}`;
}

function subscriptionPage(found: SubscriptionDeliveries, context: PageContext): ConsolePage {
  return {
    title: `Subscription of ${found.endpoint}`,
    isLive: true,
    body: `${subscriptionActions(found.id, context)}\n<h2>Last deliveries</h2>\n<div id="live">${attemptsTable(found.attempts)}</div>`,
  };
}
