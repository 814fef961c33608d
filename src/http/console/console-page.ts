import type { FastifyReply } from 'fastify';
import { type Caller, hasScope, READ, type RouteAccess, refusalOf } from '../../core/access.ts';
import type { PublishState } from '../../core/publish-state.ts';
import type { PublishingPause } from '../../core/publishing-pause.ts';
import { escapeHtml } from '../escape-html.ts';
import { inlineSource, renderPage, styleSource } from '../html-page.ts';
import { redactText } from '../redact-secrets.ts';
import { LIVE_SCRIPT } from './live-script.ts';

/** What each page has to know of the request. */
export interface PageContext {
  /** Path below which a proxy serves us; links start with it. */
  readonly basePath: string;
  /** Who is signed in; undefined: a stranger, who sees no navigation. */
  readonly caller?: Caller | undefined;
  /** The pause of all publishing. */
  readonly pause: PublishingPause | null;
  /** What every page says of it, as HTML. */
  readonly banner?: string | undefined;
  /** Whether they may sign out. */
  readonly hasSession?: boolean | undefined;
  /** The name of what was just done, in {@link DONE}. */
  readonly done?: string | undefined;
}

export interface ConsolePage {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Whether the element `live` in it renews itself. */
  readonly isLive?: boolean | undefined;
  readonly status?: number | undefined;
}

/** What concerns the whole deployment, to look at, to operate and to administer. */
export const WATCH: RouteAccess = { scope: 'read', perAccount: false };
export const OPERATE_ALL: RouteAccess = { scope: 'operate', perAccount: false };
export const ADMINISTER: RouteAccess = { scope: 'admin', perAccount: false };
/** To operate what belongs to the caller's accounts. */
export const OPERATE: RouteAccess = { scope: 'operate', perAccount: true };

const PAGES: readonly (readonly [path: string, name: string, needs: RouteAccess])[] = [
  ['/', 'Now', READ],
  ['/publishes', 'Publishes', READ],
  ['/operations', 'Operations', READ],
  ['/accounts', 'Accounts', READ],
  ['/subscriptions', 'Subscriptions', WATCH],
  ['/keys', 'Keys', ADMINISTER],
  ['/audit', 'Audit', ADMINISTER],
  ['/board', 'Queues', WATCH],
];

/** Whether who is signed in may do something: what they may not do has no button. */
export function may({ caller }: Pick<PageContext, 'caller'>, needs: RouteAccess): boolean {
  return caller !== undefined && refusalOf(caller, needs) === undefined;
}

const DONE: Readonly<Record<string, string>> = {
  cancelled: 'Cancelled, or TikTok is asked to stop. The state below says which.',
  retried: 'The job goes on.',
  started: 'The operation runs. This page shows how far it is.',
  aborted: 'The operation is ended. Jobs that it had not reached stay as they are.',
  paused: 'The account is paused. Uploads under way finish.',
  resumed: 'The account is resumed. Its waiting jobs go on.',
  subscribed: 'The endpoint is subscribed.',
  all_paused: 'All publishing is paused. Uploads under way finish.',
  all_resumed: 'Publishing goes on.',
  unsubscribed: 'The subscription is deleted.',
  tested: 'A test event is on its way. The answer of the receiver appears below.',
  endpoint: 'The endpoint is resumed. Its waiting events are delivered now.',
  replayed: 'The failed events are delivered again.',
  seen: 'Seen. These failures show again when new ones come.',
  revoked: 'The key is revoked. It stops working at once.',
};

/** Shows the rows of a table as blocks. */
function blocks(table: string): string {
  return `
    ${table}, ${table} :is(tbody, tr, td) { display: block } ${table} thead { display: none }
    ${table} tr { padding: .5rem 0 } ${table} td { padding: 0 }
    ${table} td[data-label]:not(:empty)::before { content: attr(data-label) ': '; color: light-dark(#555, #aaa) }
  `;
}

/** Columns that a table has room for on a tablet. */
const MANY_COLUMNS = 4;

const STYLE = `
  body { max-width: 70rem; margin: 1rem auto 3rem }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; border-bottom: 1px solid; padding-bottom: .5rem }
  nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center }
  nav a { padding: .25rem 0 } nav a[aria-current] { font-weight: 600; text-decoration: none }
  :focus-visible { outline: .2rem solid light-dark(#0645ad, #9ecbff); outline-offset: .1rem }
  h1 { font-size: 1.5rem; line-height: 1.3 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0 }
  th, time, .what { white-space: nowrap } legend { padding: 0 }
  .list td { min-width: 5rem; overflow-wrap: break-word }
  .list tr { border-bottom: 1px solid light-dark(#ccc, #555) }
  .facts { width: auto } .facts td { padding: .2rem 1rem .2rem 0 }
  .facts td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; color: light-dark(#555, #aaa) }
  .facts td:nth-child(2):nth-last-child(2) { white-space: nowrap; font-weight: 600 }
  .badge { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .5rem; white-space: nowrap; font-size: .9rem }
  .good { color: light-dark(#176b2c, #7ee294) } .bad { color: light-dark(#b3261e, #ffb4ab) } .wait { color: light-dark(#7a4f01, #f3c969) }
  .state { font-size: 1.15rem } .fix, .done, .refused, .shown-once { border-left: .25rem solid; padding: .1rem .8rem }
  #pause:not(:empty) { border-left: .25rem solid; padding: .1rem .8rem; margin: .8rem 0; color: light-dark(#7a4f01, #f3c969) }
  #pause p { margin: .3rem 0 }
  .numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .5rem 1rem } .numbers dd { font-size: 1.15rem; font-weight: 600 }
  .numbers dt { font-weight: 400 } [aria-current] { font-weight: 600 }
  .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem } .plot { margin: 0 }
  .plot svg { display: block; width: 100%; height: 7rem; border-bottom: 1px solid light-dark(#767676, #999) } .plot rect { fill: currentColor }
  .plot path { stroke: currentColor; stroke-width: 2px; vector-effect: non-scaling-stroke }
  .ends { display: flex; justify-content: space-between; gap: 1rem }
  .done { color: light-dark(#176b2c, #7ee294) } .refused, #stale { color: light-dark(#b3261e, #ffb4ab) }
  small, .note { color: light-dark(#555, #aaa); font-size: .9rem }
  form { margin: .5rem 0 } label, legend { font-weight: 600 } fieldset { border: 0; padding: 0; margin: 0 }
  .fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); gap: .6rem 1rem; align-items: end; margin-bottom: .8rem }
  .fields label { display: block } .fields input, .fields select { width: 100% } .wide { grid-column: 1 / -1 }
  input, select, button { font: inherit; box-sizing: border-box; min-height: 2.2rem } input, select { max-width: 100% }
  input[type=checkbox] { min-height: 0; width: auto; margin-right: .35rem }
  .checks { display: flex; flex-wrap: wrap; gap: .2rem 1rem } .checks label { font-weight: 400; display: inline }
  button { padding: .2rem .8rem; cursor: pointer } .actions { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center }
  .actions form { margin: 0 } summary { cursor: pointer; padding: .25rem 0 }
  progress { width: 100%; max-width: 30rem }
  pre { white-space: pre-wrap } .counts { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; padding: 0; list-style: none } code { overflow-wrap: anywhere }
  .facts { overflow-wrap: break-word }
  @media (max-width: 40rem) {
    .facts, .facts :is(tbody, tr, td) { display: block } .facts tr { padding: .5rem 0 } .facts td { padding: 0 }
    .facts td:first-child, .facts td:nth-child(2):nth-last-child(2) { white-space: normal }
  }
  @media (max-width: 40rem) { ${blocks('.list')} }
  @media (max-width: 64rem) { ${blocks('.wide')} }
`;

/** Nothing is loaded from anywhere, and only our own style and script run. Forms need their origin to be known. */
const CONSOLE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${styleSource(STYLE)}`,
    `script-src ${inlineSource(LIVE_SCRIPT)}`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'same-origin',
} as const;

/** Sends a page with the navigation of all of them. */
export function sendConsolePage(reply: FastifyReply, page: ConsolePage, context: PageContext): FastifyReply {
  return reply
    .code(page.status ?? 200)
    .headers(CONSOLE_HEADERS)
    .send(renderConsolePage(page, context, reply.request.routeOptions.url ?? ''));
}

function renderConsolePage({ title, body, isLive = false }: ConsolePage, context: PageContext, route: string): string {
  const { done = '' } = context;
  const message = Object.hasOwn(DONE, done) ? `<p class="done" role="status">${DONE[done]}</p>\n` : '';
  const stale =
    '<p id="stale" role="status" hidden>This page is out of date: the server, or its Redis, does not answer.</p>\n';
  const renewal = `<noscript><meta http-equiv="refresh" content="5"></noscript>\n<script>${LIVE_SCRIPT}</script>`;
  return renderPage({
    title,
    style: STYLE,
    top: topHtml(context, route),
    body: `${isLive ? stale : ''}${message}${body}\n${isLive ? renewal : ''}`,
  });
}

function topHtml(context: PageContext, route: string): string {
  const { basePath, caller, hasSession } = context;
  if (caller === undefined) return '';
  const links = PAGES.filter(([, , needs]) => may(context, needs)).map(([path, name]) => {
    const isHere = path === '/' ? route === '/' : route.startsWith(path);
    return `<a href="${escapeHtml(basePath + path)}"${isHere ? ' aria-current="page"' : ''}>${name}</a>`;
  });
  const role = hasScope(caller, 'operate') ? caller.scopes.join(', ') : 'read-only';
  const out = `<form method="post" action="${escapeHtml(`${basePath}/sign-out`)}"><button>Sign out</button></form>`;
  return `<header><nav aria-label="Pages">${links.join(' ')}</nav>
<div class="actions"><small>${shown(caller.by)} (${role})</small>${hasSession === true ? out : ''}</div></header>
<div id="pause" role="status">${context.banner ?? ''}</div>\n`;
}

/** A text from outside, as HTML that shows it without what looks like a secret. */
export function shown(text: string): string {
  return escapeHtml(redactText(text));
}

const LOOKS: Readonly<Record<PublishState, string>> = {
  ...{ scheduled: '', queued: 'wait', uploading: 'wait', processing: 'wait' },
  ...{ published: 'good', in_inbox: 'good', failed: 'bad', cancelled: '', unconfirmed: 'bad' },
};

/** A state, in the colour of what it means. */
export function stateBadge(state: PublishState): string {
  return `<span class="badge ${LOOKS[state]}">${state}</span>`;
}

/** A table whose rows become blocks on a phone. Cells are HTML. */
export function listTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = headings.map((name) => `<th scope="col">${name}</th>`).join('');
  const lines = rows.map(
    (cells) => `<tr>${cells.map((cell, index) => `<td data-label="${headings[index]}">${cell}</td>`).join('')}</tr>`,
  );
  const look = headings.length > MANY_COLUMNS ? 'list wide' : 'list';
  return `<table class="${look}"><thead><tr>${head}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table>`;
}

interface Action {
  readonly path: string;
  readonly label: string;
  readonly values?: Readonly<Record<string, string>>;
  /** Who may. Default: who operates what belongs to their accounts. */
  readonly needs?: RouteAccess;
}

/** A button that changes something, for those who may. The hidden values go with it. */
export function actionForm(context: PageContext, { path, label, values = {}, needs = OPERATE }: Action): string {
  if (!may(context, needs)) return '';
  const { basePath } = context;
  const hidden = Object.entries(values).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
  );
  return `<form method="post" action="${escapeHtml(basePath + path)}">${hidden.join('')}<button>${label}</button></form>`;
}

/** The same, behind a second click, for what can't be taken back. */
export function confirmedForm(context: PageContext, action: Action, warning: string): string {
  if (!may(context, action.needs ?? OPERATE)) return '';
  return `<details><summary>${action.label}…</summary><p>${warning}</p>${actionForm(context, action)}</details>`;
}

/** A field with its name above it. */
export function textField(
  name: string,
  label: string,
  { value = '', type = 'text', extra = '' }: { value?: string | undefined; type?: string; extra?: string } = {},
): string {
  const id = `f-${name}`;
  return `<div><label for="${escapeHtml(id)}">${escapeHtml(label)}</label><input id="${escapeHtml(id)}" name="${escapeHtml(name)}" type="${type}" value="${escapeHtml(value)}"${extra}></div>`;
}

/** A choice of one; '' among the options is none. */
export function choiceField(name: string, label: string, options: readonly string[], value = ''): string {
  const all = options.includes(value) ? options : [...options, value];
  const items = all.map(
    (each) =>
      `<option value="${escapeHtml(each)}"${each === value ? ' selected' : ''}>${each === '' ? 'any' : escapeHtml(each)}</option>`,
  );
  return `<div><label for="f-${name}">${label}</label><select id="f-${name}" name="${name}">${items.join('')}</select></div>`;
}

/** A choice of several. */
export function checkFields(
  name: string,
  legend: string,
  options: readonly string[],
  chosen: readonly string[] = [],
): string {
  const boxes = options.map(
    (each) =>
      `<label><input type="checkbox" name="${name}" value="${each}"${chosen.includes(each) ? ' checked' : ''}>${each}</label>`,
  );
  return `<fieldset class="wide"><legend>${legend}</legend><div class="checks">${boxes.join('')}</div></fieldset>`;
}
