import { headline } from '../core/headline.ts';
import { mediaText } from '../core/post-text.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { isTerminal } from '../core/publish-state.ts';
import { escapeHtml } from './escape-html.ts';
import { renderPage } from './html-page.ts';
import { jobTitle, preciseTimeText, timelineWords } from './job-words.ts';
import { redactText } from './redact-secrets.ts';

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

/** A page with all that is known of a publish job, for operators. It renews itself while the job goes on. */
export function renderPublishPage(job: PublishJob, entries: readonly EntryLink[], basePath: string): string {
  return renderPage({
    title: jobTitle(job),
    body: `${isTerminal(job.state) ? '' : '<meta http-equiv="refresh" content="3">'}
<style>
  body { max-width: 60rem }
  table { border-collapse: collapse; width: 100% }
  td { padding: .2rem 1rem .2rem 0; vertical-align: top; overflow-wrap: anywhere }
  td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; opacity: .75 }
  td:nth-child(2):nth-last-child(2) { white-space: nowrap; font-weight: 600 }
  /* A phone has no room for columns. */
  @media (max-width: 40rem) {
    table, tbody { display: block } tr { display: block; margin-bottom: .6rem } td { display: block; padding: 0 }
    td:first-child, td:nth-child(2):nth-last-child(2) { white-space: normal }
  }
  .state { font-size: 1.15rem } .fix { border-left: .25rem solid; padding-left: .8rem }
</style>
<p class="state">${shown(headline(job))}</p>
${failureHtml(job)}
${table(factsOf(job).map(([name, text]) => [name, shown(text)]))}
<h2>Queue entries</h2>
${entriesHtml(entries)}
<h2>Timeline</h2>
${table(
  job.timeline
    .map(timelineWords)
    .map(({ time, what, facts }) => [shown(time), shown(what), facts.map(shown).join('<br>')]),
)}
<p><a href="${escapeHtml(basePath)}/">All pages of tiktok-publisher</a></p>`,
  });
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
    ['Post', job.postIds.join(', ')],
    [
      'Accepted',
      progress.totalBytes > 0 && `${inDigits(progress.acceptedBytes)} of ${inDigits(progress.totalBytes)} bytes`,
    ],
    ['Failed attempts', job.attempts > 0 && String(job.attempts)],
    ['Scheduled for', job.scheduledAt === null ? null : preciseTimeText(job.scheduledAt)],
    ['Created', preciseTimeText(job.createdAt)],
    ['Updated', preciseTimeText(job.updatedAt)],
  ];
  return facts.flatMap(([name, text]) => (text ? [[name, text]] : []));
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
  return `<table>\n${lines.join('\n')}\n</table>`;
}

function inDigits(bytes: number): string {
  return bytes.toLocaleString('en');
}

function shown(text: string): string {
  return escapeHtml(redactText(text));
}
