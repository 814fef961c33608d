import type { AccountSummary } from '../../accounts/account-record.ts';
import type { CallbackOverview } from '../../core/delivery-reports.ts';
import { ERROR_TABLE, isErrorCode } from '../../core/error-table.ts';
import { countText, timeText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { ACCOUNTS_PATH } from './accounts-page.ts';
import { actionForm, may, OPERATE, OPERATE_ALL, type PageContext, shown } from './console-page.ts';
import { PREVIEW_PATH } from './operations-page.ts';
import { searchPath } from './search-address.ts';
import { SUBSCRIPTIONS_PATH } from './subscriptions-page.ts';

/** How a queue stands. */
export interface QueueReport {
  readonly name: string;
  readonly path: string;
  /** Entries by BullMQ's states. */
  readonly counts: Readonly<Record<string, number>>;
  /** Undefined: Redis does not tell. */
  readonly workers: number | undefined;
}

/** An account whose jobs do not go on. */
export interface HeldAccount {
  readonly account: AccountSummary;
  readonly waiting: number;
}

/** The failed and unconfirmed jobs of an error code. */
export interface FailureGroup {
  readonly code: string;
  readonly count: number;
  /** Up to when an operator has seen them (ISO 8601); undefined: never. */
  readonly seenAt: string | undefined;
  /** Whether some ended after that. */
  readonly hasNew: boolean;
}

export interface CauseFacts {
  readonly failures: readonly FailureGroup[];
  /** When the page was made (ISO 8601): what it shows can be seen. */
  readonly now: string;
  readonly held: readonly HeldAccount[];
  /** Accounts that are held back and not in `held`. */
  readonly moreHeldCount: number;
  /** Undefined: not for who is signed in. */
  readonly callbacks: CallbackOverview | undefined;
  readonly queues: readonly QueueReport[];
}

/** What needs a person, and one safe thing to do about it; both HTML. */
type Cause = readonly [text: string, action: string];

/** Where an operator says that they have seen failures. */
export const SEEN_PATH = '/failures/seen';

/** What the jobs of such an account wait for. */
const HELD = { paused: 'account_paused', reauthorization_required: 'reauthorization', active: 'turn' } as const;

/** All that needs a person, the most urgent first. */
export function causesOf(facts: CauseFacts, context: PageContext): Cause[] {
  return [
    ...facts.queues.flatMap((queue) => workerCauses(queue)),
    ...facts.held.map((each) => heldCause(each, context)),
    ...moreHeldCauses(facts.moreHeldCount, context),
    ...failureCauses(facts, context),
    ...(facts.callbacks === undefined ? [] : callbackCauses(facts.callbacks, context)),
  ];
}

function workerCauses({ name, workers, counts }: QueueReport): Cause[] {
  const ready = counts.waiting ?? 0;
  if (workers !== 0 || ready === 0) return [];
  const text = `${ready} ready in <code>${name}</code>, and no worker takes them.`;
  return [[text, 'Start workers: <code>tiktok-publisher worker</code>']];
}

function heldCause({ account: { account, status, pauseCode }, waiting }: HeldAccount, context: PageContext): Cause {
  const { basePath } = context;
  const jobs = `<a href="${searchPath(basePath, { account, waitingFor: HELD[status] })}">${countText(waiting, 'job')} wait${waiting === 1 ? 's' : ''}</a>`;
  const path = escapeHtml(`${basePath}${ACCOUNTS_PATH}?${new URLSearchParams({ account })}`);
  const name = `<a href="${path}"><b>${shown(account)}</b></a>`;
  const [why, action, label] =
    status === 'paused'
      ? (['is paused', 'resume', 'Resume the account'] as const)
      : (['must be connected again', 'connect-link', 'Create a connect link'] as const);
  const form = actionForm(context, { path: `${ACCOUNTS_PATH}/${action}`, label, values: { account } });
  const advice = pauseCode !== null && isErrorCode(pauseCode) ? `${shown(ERROR_TABLE[pauseCode].advice)} ` : '';
  const cause = pauseCode === null ? why : `${why} for <code>${shown(pauseCode)}</code>`;
  return [
    waiting === 0 ? `${name} ${cause}. No job waits yet.` : `${jobs} because ${name} ${cause}.`,
    advice + (form === '' ? `<a href="${path}">See the account</a>` : form),
  ];
}

function moreHeldCauses(count: number, { basePath }: PageContext): Cause[] {
  if (count === 0) return [];
  const path = escapeHtml(`${basePath}${ACCOUNTS_PATH}`);
  return [
    [`${countText(count, 'more account')} paused or to be connected again.`, `<a href="${path}">See the accounts</a>`],
  ];
}

const MAX_NAMED = 5;

/** Whether a retry as it is may help: TikTok may know more by now, or what was wrong can be mended outside of the request. */
function mayRetryHelp(code: string): boolean {
  return !isErrorCode(code) || ERROR_TABLE[code].retryable || !ERROR_TABLE[code].outcomeKnown;
}

function failureCauses({ failures, now }: CauseFacts, context: PageContext): Cause[] {
  return [...failures]
    .filter(({ hasNew }) => hasNew)
    .sort((one, other) => other.count - one.count)
    .map(({ code, count, seenAt }) => {
      const advice = isErrorCode(code) ? ERROR_TABLE[code].advice : '';
      const preview = new URLSearchParams({ kind: 'retry', state: 'failed,unconfirmed', code });
      const retry =
        may(context, OPERATE) && mayRetryHelp(code)
          ? ` <a href="${escapeHtml(`${context.basePath}${PREVIEW_PATH}?${preview}`)}">Retry them: see first what that would do</a>`
          : '';
      const values = { code, until: now };
      const seen = actionForm(context, { path: SEEN_PATH, label: 'Seen', values, needs: OPERATE_ALL });
      const since = seenAt === undefined ? '' : ` ${newOnes(code, seenAt, context)} since they were seen.`;
      return [
        `${failuresLink({ code, count }, context)} ended with <code>${shown(code)}</code>.${since}`,
        `${shown(advice)}${retry}${seen}`,
      ];
    });
}

function failuresLink({ code, count }: Pick<FailureGroup, 'code' | 'count'>, { basePath }: PageContext): string {
  const path = searchPath(basePath, { state: 'failed,unconfirmed', code });
  return `<a href="${path}">${countText(count, 'publish job')}</a>`;
}

function newOnes(code: string, endedFrom: string, { basePath }: PageContext): string {
  return `<a href="${searchPath(basePath, { state: 'failed,unconfirmed', code, endedFrom })}">Some are new</a>`;
}

/** Failures that an operator has seen, and to which none came since. */
export function seenHtml({ failures }: CauseFacts, context: PageContext): string {
  const seen = failures.flatMap(({ code, count, seenAt, hasNew }) =>
    hasNew || seenAt === undefined
      ? []
      : [`${failuresLink({ code, count }, context)} with <code>${shown(code)}</code> (${timeText(seenAt)})`],
  );
  return seen.length === 0 ? '' : `<p class="note">Seen, and not new: ${seen.join(', ')}.</p>`;
}

function callbackCauses({ paused, disabled, counts }: CallbackOverview, context: PageContext): Cause[] {
  const see = `<a href="${escapeHtml(context.basePath + SUBSCRIPTIONS_PATH)}">See the endpoints</a>`;
  const act = (name: string, label: string, values = {}) => {
    const form = actionForm(context, { path: `${SUBSCRIPTIONS_PATH}/${name}`, label, values, needs: OPERATE_ALL });
    return form === '' ? see : form;
  };
  const causes: Cause[] = paused.map(({ id, endpoint, waiting, lastCode }) => [
    `${countText(waiting, 'event')} wait for <b>${shown(endpoint)}</b>, which is paused after <code>${shown(lastCode)}</code>.`,
    act('resume', 'Resume the endpoint', { endpoint: id }),
  ]);
  if (disabled.length > 0)
    causes.push([
      `${goneNames(disabled)} answered 410 and ${disabled.length === 1 ? 'gets' : 'get'} nothing more.`,
      see,
    ]);
  if (counts.failed > 0) {
    const again = disabled.length === 0 ? '' : ' Those for a URL that answered 410 fail again until it is resumed.';
    const text = `${countText(counts.failed, 'event')} could not be delivered.${again}`;
    causes.push([text, act('replay', 'Deliver them again')]);
  }
  return causes;
}

/** The first ones by name. */
function goneNames(disabled: CallbackOverview['disabled']): string {
  const names = disabled.slice(0, MAX_NAMED).map(({ endpoint }) => `<b>${shown(endpoint)}</b>`);
  const more = disabled.length - names.length;
  return more === 0 ? names.join(', ') : `${names.join(', ')} and ${countText(more, 'more callback URL')}`;
}
