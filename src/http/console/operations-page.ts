import { READ } from '../../core/access.ts';
import type { JobFilter } from '../../core/job-filter.ts';
import {
  DEFAULT_OPERATION_RATE,
  MAX_OPERATION_RATE,
  OPERATION_KINDS,
  OPERATION_WAYS,
  type Operation,
  type OperationKind,
  type OperationPreview,
  type OperationRequest,
  type OperationTotals,
  type OperationWay,
} from '../../core/operation.ts';
import { PublishError, toInputProblems } from '../../core/publish-error.ts';
import { countText, exactDurationText } from '../../core/quantity-text.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { escapeHtml } from '../escape-html.ts';
import { preciseTimeText } from '../job-words.ts';
import { jobQueryString } from '../v1/job-query-string.ts';
import {
  type ConsolePage,
  confirmedForm,
  listTable,
  OPERATE,
  type PageContext,
  shown,
  stateBadge,
  textField,
} from './console-page.ts';
import { type ConsoleRoutes, type Form, idIn } from './console-routes.ts';
import { jobLink } from './post-links.ts';
import { type GivenQuery, givenQuery, hiddenFields, searchPath, utcTime } from './search-address.ts';

const OPERATIONS_PATH = '/operations';
/** The dry run of an operation. */
export const PREVIEW_PATH = `${OPERATIONS_PATH}/new`;

/** The page of one operation. */
export function operationPath(id: string): string {
  return `${OPERATIONS_PATH}/${encodeURIComponent(id)}`;
}

export const KIND_WORDS: Readonly<Record<OperationKind, string>> = {
  retry: 'Retry',
  cancel: 'Cancel',
  reschedule: 'Reschedule',
};

/** What happens to a job each way, and what makes that safe. */
const WAY_WORDS: Readonly<Record<OperationWay, readonly [words: string, why: string]>> = {
  poll: ['ask TikTok for the status again', ''],
  resume: ['go on with the upload where it stopped', ''],
  fresh_init: ['start again', 'TikTok has published nothing of it'],
  cancel: ['end', 'nothing of it can have been published'],
  ask_tiktok: ['ask TikTok to stop', 'it may be too late'],
  move: ['get the new time', ''],
  unchanged: ['stay', 'it is as it should be'],
};

/** Adds the dry run, the start, and the pages of operations on many jobs. */
export function addOperations({ page, action }: ConsoleRoutes): void {
  page(PREVIEW_PATH, OPERATE, async ({ query, publisher, signal }, context) => {
    const given = givenQuery(query);
    const request = requestOf(given);
    if (request.kind === 'reschedule' && request.scheduledAt === undefined && request.shiftMs === undefined) {
      return { title: titleOf(request.kind), body: timeForm(given, context) };
    }
    const preview = await publisher.operations.preview(request, { signal });
    return previewPage(given, request, preview, context);
  });
  page(OPERATIONS_PATH, READ, async ({ publisher }, context) =>
    operationsPage(await publisher.operations.list(), context),
  );
  page(`${OPERATIONS_PATH}/:id`, READ, async (request, context) =>
    operationPage(await request.publisher.operations.get(idIn(request)), context),
  );
  action(OPERATIONS_PATH, OPERATE, async (form, { publisher }) => {
    const { id } = await publisher.operations.start(requestOf(givenQuery(valuesOf(form))));
    return { path: operationPath(id), done: 'started' };
  });
  action(`${OPERATIONS_PATH}/:id/abort`, OPERATE, async (_form, request) => {
    const { id } = await request.publisher.operations.abort(idIn(request));
    return { path: operationPath(id), done: 'aborted' };
  });
}

/** What an address or a form asks for. @throws PublishError `INPUT_INVALID` */
function requestOf(given: GivenQuery): OperationRequest {
  const { kind, scheduledAt, shiftMinutes, ratePerSecond, ...query } = given;
  const found = OPERATION_KINDS.find((known) => known === kind);
  const { success, data, error } = jobQueryString.safeParse(query);
  const problems = success ? [] : toInputProblems(error.issues, 'filter');
  if (found === undefined) problems.push({ path: 'kind', message: `expected one of ${OPERATION_KINDS.join(', ')}` });
  if (!success || found === undefined || problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
  const { order: _, limit: __, cursor: ___, account, ...filter } = data;
  return {
    kind: found,
    filter: { ...filter, ...(account !== undefined && { account }) } satisfies JobFilter,
    ...(scheduledAt !== undefined && { scheduledAt: utcTime(scheduledAt) }),
    ...(shiftMinutes !== undefined && { shiftMs: Number(shiftMinutes) * MINUTE_MS }),
    ...(ratePerSecond !== undefined && { ratePerSecond: Number(ratePerSecond) }),
  };
}

function titleOf(kind: OperationKind): string {
  return `${KIND_WORDS[kind]} many publishes`;
}

function timeForm(given: GivenQuery, { basePath }: PageContext): string {
  return `<form method="get" action="${escapeHtml(basePath + PREVIEW_PATH)}">${hiddenFields(given)}<div class="fields">
${textField('scheduledAt', 'New start of all (UTC)', { type: 'datetime-local' })}
${textField('shiftMinutes', 'Or: minutes later, each', { type: 'number' })}
</div><p class="actions"><button>Show what would happen</button></p></form>`;
}

function previewPage(
  given: GivenQuery,
  request: OperationRequest,
  { jobCount, totals, jobs, nextCursor }: OperationPreview,
  context: PageContext,
): ConsolePage {
  const { kind } = request;
  const { basePath } = context;
  const count = jobCount ?? 0;
  const changed = Object.values(totals?.ways ?? {}).reduce((sum, some) => sum + some, 0);
  const start = `<form method="post" action="${escapeHtml(basePath + OPERATIONS_PATH)}">${hiddenFields(given)}<div class="fields">
${textField('ratePerSecond', 'Jobs in a second', { type: 'number', value: given.ratePerSecond ?? String(DEFAULT_OPERATION_RATE), extra: ` min="1" max="${MAX_OPERATION_RATE}"` })}
</div><p class="actions"><button>${KIND_WORDS[kind]} ${countText(changed, 'publish job')}</button></p></form>`;
  const rows = jobs.map(({ id, account, post, state, way, refusal }) => [
    jobLink(id, post === '' ? id : post, basePath),
    shown(account),
    stateBadge(state),
    way === null ? `refused: ${shown(refusal?.reason ?? '')}` : WAY_WORDS[way][0],
  ]);
  const more = nextCursor === null ? '' : `<p class="note">These are the first ${jobs.length} of ${count}.</p>`;
  return {
    title: titleOf(kind),
    body: `<p class="state">Nothing has been changed yet. This would happen to ${countText(count, 'publish job')}:</p>
${totals === null ? '' : totalsList(totals)}
<table class="facts">${changeRows(request, context)}</table>
${changed === 0 ? '<p>There is nothing to do.</p>' : start}
${rows.length === 0 ? '' : `<h2>One by one</h2>\n${listTable(['Publish', 'Account', 'State', 'What would happen'], rows)}`}
${more}`,
  };
}

function totalsList({ ways, refused }: OperationTotals): string {
  const items = [
    ...OPERATION_WAYS.flatMap((way) => {
      const [words, why] = WAY_WORDS[way];
      return ways[way] === undefined ? [] : [`<li><b>${ways[way]}</b> ${words}${why === '' ? '' : ` (${why})`}</li>`];
    }),
    ...refused.map(
      ({ count, reason, code }) => `<li><b>${count}</b> refused: ${shown(reason)} <code>${code}</code></li>`,
    ),
  ];
  return items.length === 0 ? '' : `<ul>${items.join('')}</ul>`;
}

function operationPage(operation: Operation, context: PageContext): ConsolePage {
  const { id, kind, state, ratePerSecond, createdAt, by, endedAt, abortedBy } = operation;
  const facts: [string, string | null][] = [
    ['Operation', id],
    ['In a second', `at most ${ratePerSecond}`],
    ['Started', `${preciseTimeText(createdAt)}${by === null ? '' : ` by ${by}`}`],
    ['Ended', endedAt === null ? null : preciseTimeText(endedAt)],
    ['Aborted by', abortedBy],
  ];
  const isRunning = state === 'running';
  const abort = { path: `${operationPath(id)}/abort`, label: 'Abort' };
  return {
    title: titleOf(kind),
    isLive: isRunning,
    body: `<div id="live">
<p class="state">${operationBadge(operation)} ${progressText(operation)}</p>
${progressBar(operation)}
${totalsList(operation.totals)}
${isRunning ? confirmedForm(context, abort, 'Jobs that it has not reached stay as they are.') : ''}
<table class="facts">${changeRows(operation, context)}${factRows(facts)}</table>
</div>
<p><a href="${escapeHtml(context.basePath + OPERATIONS_PATH)}">All operations</a></p>`,
  };
}

/** Which jobs get which times. */
function changeRows(
  { filter, scheduledAt = null, shiftMs = null }: OperationRequest | Operation,
  context: PageContext,
): string {
  const times: [string, string | null][] = [
    ['New start', scheduledAt && preciseTimeText(scheduledAt)],
    [(shiftMs ?? 0) < 0 ? 'Earlier by' : 'Later by', shiftMs === null ? null : exactDurationText(Math.abs(shiftMs))],
  ];
  return `<tr><td>Which jobs</td><td>${filterLink(filter, context)}</td></tr>${factRows(times)}`;
}

function factRows(facts: readonly (readonly [name: string, text: string | null])[]): string {
  const rows = facts.flatMap(([name, text]) =>
    text === null ? [] : [`<tr><td>${name}</td><td>${shown(text)}</td></tr>`],
  );
  return rows.join('');
}

function operationsPage(operations: readonly Operation[], context: PageContext): ConsolePage {
  const { basePath } = context;
  const rows = operations.map((operation) => [
    `<a href="${escapeHtml(basePath + operationPath(operation.id))}">${KIND_WORDS[operation.kind]}</a>`,
    operationBadge(operation),
    progressText(operation),
    filterLink(operation.filter, context),
    `${preciseTimeText(operation.createdAt)}<br><small>${shown(operation.by ?? '')}</small>`,
  ]);
  const none =
    '<p>Nobody has changed many publish jobs at once yet. Search for some, then choose what to do with all of them.</p>';
  return {
    title: 'Operations',
    isLive: operations.some(({ state }) => state === 'running'),
    body: `<div id="live">${rows.length === 0 ? none : listTable(['What', 'State', 'Progress', 'Which', 'Started'], rows)}</div>`,
  };
}

/** The filter as it stands in the address of a search, with the way there. */
function filterLink({ metadata = {}, ...filter }: JobFilter, { basePath }: PageContext): string {
  const query: [string, string][] = [
    ...Object.entries(filter).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    ),
    ...Object.entries(metadata).map(([key, value]): [string, string] => [`metadata.${key}`, String(value)]),
  ];
  return `<a href="${searchPath(basePath, Object.fromEntries(query))}">${shown(query.map(([name, value]) => `${name} ${value}`).join(', '))}</a>`;
}

/** Good is only one that has done what it was for. */
function operationBadge({ state, doneCount, totals }: Operation): string {
  const refused = totals.refused.reduce((sum, { count }) => sum + count, 0);
  const done = refused === 0 ? 'good' : refused < doneCount ? 'wait' : 'bad';
  const looks = { running: 'wait', done, aborted: 'bad' } as const;
  const words = state === 'done' && refused > 0 ? `done, ${refused === doneCount ? 'all' : refused} refused` : state;
  return `<span class="badge ${looks[state]}">${words}</span>`;
}

function progressText({ jobCount, doneCount, state }: Operation): string {
  if (jobCount === null) return state === 'running' ? 'Its jobs are being gathered.' : 'It has touched nothing.';
  return `${doneCount} of ${countText(jobCount, 'publish job')} dealt with.`;
}

function progressBar({ jobCount, doneCount }: Operation): string {
  return jobCount === null
    ? ''
    : `<progress max="${Math.max(1, jobCount)}" value="${doneCount}" aria-label="Progress"></progress>`;
}

function valuesOf(form: Form): Record<string, string> {
  return Object.fromEntries(form.entries());
}
