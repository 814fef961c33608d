import type { CancelPlan } from '../../core/cancel-plan.ts';
import type { DeliveryAttempt } from '../../core/delivery-reports.ts';
import { restOfHeadline } from '../../core/headline.ts';
import { mediaText } from '../../core/post-text.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { isTerminal } from '../../core/publish-state.ts';
import type { RetryPlan } from '../../core/retry-plan.ts';
import type { RetryAction } from '../../producers/publisher.ts';
import { escapeHtml } from '../escape-html.ts';
import { jobTitle, preciseTimeText, timelineWords } from '../job-words.ts';
import { attemptsTable } from './attempts-table.ts';
import { actionForm, type ConsolePage, confirmedForm, type PageContext, shown, stateBadge } from './console-page.ts';

export const PUBLISH_PAGES_PATH = '/publishes';

/** Where the page of a publish job is. */
export function publishPagePath(id: string): string {
  return `${PUBLISH_PAGES_PATH}/${encodeURIComponent(id)}`;
}

export interface EntryLink {
  readonly queue: string;
  /** Of BullMQ, such as `failed`. */
  readonly state: string;
  readonly path: string;
}

/** What may be done with a job as it is now. */
export interface JobPlans {
  readonly cancel: CancelPlan;
  readonly retry: RetryPlan;
}

interface PublishPageFacts {
  readonly entries: readonly EntryLink[];
  readonly plans: JobPlans | undefined;
  /** Deliveries of its events; empty for a job without a callback. */
  readonly attempts: readonly DeliveryAttempt[];
}

/** A page with all that is known of a publish job, for operators. It renews itself while the job goes on. */
export function publishPage(
  job: PublishJob,
  { entries, plans, attempts }: PublishPageFacts,
  context: PageContext,
): ConsolePage {
  return {
    title: jobTitle(job),
    isLive: !isTerminal(job.state),
    body: `<div id="live">
<p class="state">${stateBadge(job.state)} ${shown(restOfHeadline(job))}</p>
${failureHtml(job)}
${plans === undefined ? '' : actionsHtml(job, plans, context)}
${table([...factsOf(job).map(([name, text]) => [name, shown(text)]), ...postRows(job)])}
<h2>Queue entries</h2>
${entriesHtml(entries)}
${attempts.length === 0 ? '' : `<h2>Deliveries to the callback URL</h2>\n${attemptsTable(attempts)}`}
<h2>Timeline</h2>
${table(
  job.timeline
    .map(timelineWords)
    .map(({ time, what, facts }) => [shown(time), shown(what), facts.map(shown).join('<br>')]),
)}
<details><summary>Record as JSON</summary><pre>${shown(JSON.stringify(job, null, 2))}</pre></details>
</div>`,
  };
}

const RETRY_TEXTS: Readonly<Record<RetryAction, string>> = {
  poll: 'asks TikTok for the status again. Nothing is sent a second time.',
  resume: 'goes on with the upload where it stopped.',
  fresh_init: 'starts again: TikTok has published nothing of it.',
};

const CANCEL_TEXTS = {
  now: 'The job ends. Nothing of it can have been published.',
  ask_tiktok: 'TikTok is asked to stop. It may be too late; then the post appears, and the job says so.',
} as const;

/** What the ledger would do, in words, with a button where it would not refuse. */
function actionsHtml({ id, state }: PublishJob, { cancel, retry }: JobPlans, context: PageContext): string {
  const path = publishPagePath(id);
  const actions: string[] = [];
  if (retry.kind !== 'refuse') {
    actions.push(`<p>A retry ${RETRY_TEXTS[retry.kind]}</p>`);
    actions.push(actionForm(context, { path: `${path}/retry`, label: 'Retry' }));
  } else if (state === 'failed' || state === 'unconfirmed') {
    actions.push(`<p>No safe retry: ${shown(retry.reason)}.</p>`);
  }
  if (cancel.kind === 'now' || cancel.kind === 'ask_tiktok') {
    actions.push(
      confirmedForm(context, { path: `${path}/cancel`, label: 'Cancel this publish' }, CANCEL_TEXTS[cancel.kind]),
    );
  } else if (cancel.kind === 'refuse' && !isTerminal(state)) {
    actions.push(`<p>Can't be cancelled: ${shown(cancel.reason)}.</p>`);
  }
  return actions.join('\n');
}

function failureHtml({ failure }: PublishJob): string {
  return failure === null ? '' : `<p class="fix"><b>What to do:</b> ${shown(failure.advice)}</p>`;
}

function factsOf(job: PublishJob): [string, string][] {
  const { request, progress, failure } = job;
  const facts: [string, string | null | undefined | false][] = [
    ['Job', job.id],
    ['Title', request.post?.title],
    ['Media', mediaText(request.media)],
    ['Privacy', request.post?.privacyLevel],
    ['Idempotency key', job.idempotencyKey],
    ['Metadata', job.metadata && JSON.stringify(job.metadata)],
    ['Error code', failure !== null && [failure.code, failure.tiktokCode].filter(Boolean).join(', ')],
    ['TikTok log id', failure?.tiktokLogId],
    ['publish_id', job.publishId],
    [
      'Accepted',
      progress.totalBytes > 0 && `${inDigits(progress.acceptedBytes)} of ${inDigits(progress.totalBytes)} bytes`,
    ],
    ['Failed attempts', job.attempts > 0 && String(job.attempts)],
    ['Scheduled for', job.scheduledAt === null ? null : preciseTimeText(job.scheduledAt)],
    ['Not after', request.notAfter && preciseTimeText(new Date(request.notAfter).toISOString())],
    ['Created', preciseTimeText(job.createdAt)],
    ['Updated', preciseTimeText(job.updatedAt)],
  ];
  return facts.flatMap(([name, text]) => (text ? [[name, text]] : []));
}

/** The posts, with their addresses where these are known. */
function postRows({ postIds, postUrls }: PublishJob): [string, string][] {
  return postIds.map((id, index) => {
    const url = postUrls[index];
    return [
      'Post',
      url === undefined ? shown(id) : `<a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(url)}</a>`,
    ];
  });
}

function entriesHtml(entries: readonly EntryLink[]): string {
  if (entries.length === 0) return '<p>No queue entries.</p>';
  const items = entries.map(
    ({ queue, state, path }) => `  <li><a href="${escapeHtml(path)}">${shown(queue)}</a>: ${shown(state)}</li>`,
  );
  return `<ul>\n${items.join('\n')}\n</ul>`;
}

function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `  <tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table class="facts">\n${lines.join('\n')}\n</table>`;
}

function inDigits(bytes: number): string {
  return bytes.toLocaleString('en');
}
