import type { DeliveryAttempt } from '../core/delivery-reports.ts';
import { headline, percentText } from '../core/headline.ts';
import type { JobCounts } from '../core/job-counts.ts';
import { mediaText, oneLine, postText } from '../core/post-text.ts';
import { withoutLineBreaks } from '../core/printable.ts';
import type { PublishJob, TimelineEntry } from '../core/publish-job.ts';
import { bytesText, durationText, partOfText, timeText } from '../core/quantity-text.ts';
import { asTyped } from './option-names.ts';

/** Everything about a job, human-readable. */
export function jobText(job: PublishJob): string {
  const { progress, failure, request } = job;
  const facts: [string, string | undefined][] = [
    ['job', job.id],
    ['state', headline(job)],
    ['fix', failure === null ? undefined : asTyped(failure.advice)],
    ['code', failure === null ? undefined : [failure.code, failure.tiktokCode].filter(Boolean).join(', ')],
    ['TikTok log', failure?.tiktokLogId],
    ['account', `${job.account} (${job.mode})`],
    ['title', oneLine(request.post?.title ?? '') || undefined],
    ['media', oneLine(mediaText(request.media))],
    ['privacy', request.post?.privacyLevel],
    ['publish id', job.publishId ?? undefined],
    ['size', progress.totalBytes === 0 ? undefined : sizeText(job)],
    ['attempts', job.attempts === 0 ? undefined : `${job.attempts} failed`],
    ['not after', request.notAfter && timeText(new Date(request.notAfter).toISOString())],
    ['created', timeText(job.createdAt)],
    ['updated', timeText(job.updatedAt)],
    ['key', oneLine(job.idempotencyKey ?? '') || undefined],
    ['metadata', job.metadata === null ? undefined : JSON.stringify(job.metadata)],
  ];
  const known = facts.flatMap(([name, text]) =>
    text === undefined ? [] : [`${name.padEnd(12)}${withoutLineBreaks(text)}`],
  );
  return [...known, ...timelineText(job.timeline)].join('\n');
}

function sizeText(job: PublishJob): string {
  const { totalBytes, acceptedBytes } = job.progress;
  if (acceptedBytes === totalBytes) return `${bytesText(totalBytes)}, all accepted`;
  return `${partOfText(acceptedBytes, totalBytes)} accepted (${percentText(job)})`;
}

function timelineText(timeline: readonly TimelineEntry[]): string[] {
  if (timeline.length === 0) return [];
  return ['timeline', ...timeline.map((entry) => `  ${timeText(entry.at)}  ${entry.event}${factsText(entry)}`)];
}

function factsText(entry: TimelineEntry): string {
  const facts = Object.entries(entry).filter(([name]) => name !== 'at' && name !== 'event');
  return facts
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? withoutLineBreaks(value) : JSON.stringify(value)}`)
    .join('');
}

const POST_CHARS = 60;
const LEAST_POST_CHARS = 24;

/**
 * Jobs as a table, each with its post; on a line of its own where a terminal has no room for it in the table.
 * @param now ms since the epoch
 * @param columns of the terminal; undefined where there is none
 */
export function jobTable(jobs: readonly PublishJob[], now: number, columns?: number): string {
  if (jobs.length === 0) return 'No jobs.';
  const hasCode = jobs.some(({ failure }) => failure !== null);
  const withCode = (state: string, code: string, ...rest: string[]) => [state, ...(hasCode ? [code] : []), ...rest];
  const rows = jobs.map((job) => [
    job.id,
    ...withCode(stateCell(job), job.failure?.code ?? '', job.account, durationText(now - Date.parse(job.createdAt))),
  ]);
  const lines = textTable([['JOB', ...withCode('STATE', 'CODE', 'ACCOUNT', 'AGE')], ...rows]).split('\n');
  const tableColumns = Math.max(...lines.map((line) => line.length));
  const room = columns === undefined ? POST_CHARS : columns - tableColumns - 2;
  if (room >= LEAST_POST_CHARS) {
    const posts = ['POST', ...jobs.map(({ request }) => postText(request, room))];
    return lines.map((line, index) => `${line.padEnd(tableColumns)}  ${posts[index]}`).join('\n');
  }
  const isWide = columns !== undefined && tableColumns <= columns;
  const heads = isWide ? lines.slice(1) : rows.map(([id, ...facts]) => `${id}\n  ${facts.join('  ')}`);
  const belowHead = jobs.map(({ request }, index) => `${heads[index]}\n  ${postText(request, (columns ?? 80) - 2)}`);
  return [...(isWide ? lines.slice(0, 1) : []), ...belowHead].join('\n');
}

/** Numbers of jobs, by state, and by why they failed or wait. */
export function countsText({ total, states, codes, waitingFor }: JobCounts): string {
  if (total === 0) return 'No jobs.';
  const part = (title: string, counts: Readonly<Record<string, number>>): string[][] => {
    const rows = Object.entries(counts).sort(([, one], [, other]) => other - one);
    return rows.length === 0
      ? []
      : [[title, ''], ...rows.map(([name, count]) => [`  ${name}`, count.toLocaleString('en')])];
  };
  return textTable([
    ['jobs', total.toLocaleString('en')],
    ...part('by state', states),
    ...part('failed or unconfirmed', codes),
    ...part('waiting for', waitingFor),
  ]);
}

function stateCell(job: PublishJob): string {
  if (job.waitingFor !== null) return `${job.state} (${job.waitingFor})`;
  return job.state === 'uploading' ? `uploading ${percentText(job)}` : job.state;
}

/** Rows in columns as wide as their widest cell. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Deliveries of events, as they are. */
export function attemptTable(attempts: readonly DeliveryAttempt[]): string {
  const rows = attempts.map(({ at, eventId, type, outcome, status, durationMs, message }) => [
    ...[at, eventId, type, outcome, status === null ? '–' : String(status), `${durationMs} ms`],
    message ?? '',
  ]);
  return textTable([['AT', 'EVENT', 'TYPE', 'OUTCOME', 'STATUS', 'TOOK', 'WHY'], ...rows]);
}
