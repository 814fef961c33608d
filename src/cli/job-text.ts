import type { PublishJob, TimelineEntry } from '../core/publish-job.ts';
import type { WaitReason } from '../core/publish-state.ts';
import { bytesText, durationText, partOfText, timeText } from './quantity-text.ts';

const WAIT_TEXTS: Readonly<Record<WaitReason, string>> = {
  turn: 'its turn among the uploads of its account',
  rate_limit: "TikTok's rate limit",
  daily_cap: "the account's daily post limit",
  pending_share_cap: "the account's limit of unposted drafts",
  active_user_cap: "the app's daily limit of posting accounts",
  account_paused: 'the account, which is paused',
  reauthorization: 'the account, which must be connected again',
  replication: 'the Redis replicas, which have not confirmed the last write',
};

/** What is true of a job, as one human-readable line. */
export function headline(job: PublishJob): string {
  switch (job.state) {
    case 'scheduled':
      return `scheduled for ${timeText(job.scheduledAt ?? job.createdAt)}`;
    case 'queued':
      return waitText(job);
    case 'uploading':
      return `uploading: ${partOfText(job.progress.acceptedBytes, job.progress.totalBytes)} accepted (${percentText(job)})${againText(job)}${pauseText(job, ', ')}`;
    case 'processing':
      return `processing: TikTok is processing the video${pauseText(job, '; status check ')}`;
    case 'published':
      return job.postIds.length === 0 ? 'published' : `published as post ${job.postIds.join(', ')}`;
    case 'in_inbox':
      return "delivered to the creator's inbox as a draft";
    case 'failed':
      return `failed: ${job.failure?.message ?? 'reason unknown'}`;
    case 'cancelled':
      return 'cancelled before it could be published';
    case 'unconfirmed':
      return `unconfirmed: ${job.failure?.message ?? 'it is unknown whether the post was published'}`;
  }
}

/** How much TikTok has accepted, rounded down so that 100% means all of it. */
export function percentOf({ progress }: PublishJob): number {
  return progress.totalBytes === 0 ? 0 : Math.floor((100 * progress.acceptedBytes) / progress.totalBytes);
}

/** {@link percentOf} for people. */
export function percentText(job: PublishJob): string {
  return `${percentOf(job)}%`;
}

/** When a job goes on after an attempt that failed, and why that one did. */
function againText({ waitingFor, waitingUntil, timeline }: PublishJob): string {
  if (waitingFor !== null || waitingUntil === null) return '';
  const message = timeline.findLast(({ event }) => event === 'attempt_failed')?.message;
  const why = typeof message === 'string' ? ` after: ${message}` : '';
  return `, next attempt at ${timeText(waitingUntil)}${why}`;
}

function waitText(job: PublishJob): string {
  const { waitingFor, waitingUntil } = job;
  if (waitingFor === null && waitingUntil !== null) return `queued${againText(job)}`;
  return waitingFor === null ? 'queued: starts when a worker is free' : `queued: ${pauseText(job)}`;
}

/** What a job waits for and until when, if it waits for something. */
function pauseText({ waitingFor, waitingUntil }: PublishJob, before = ''): string {
  if (waitingFor === null) return '';
  const until = waitingUntil === null ? '' : ` until ${timeText(waitingUntil)}`;
  return `${before}waiting for ${WAIT_TEXTS[waitingFor]}${until}`;
}

/** Everything about a job, human-readable. */
export function jobText(job: PublishJob): string {
  const { progress, failure } = job;
  const facts: [string, string | undefined][] = [
    ['job', job.id],
    ['state', headline(job)],
    ['fix', failure?.advice],
    ['code', failure === null ? undefined : [failure.code, failure.tiktokCode].filter(Boolean).join(', ')],
    ['TikTok log', failure?.tiktokLogId],
    ['account', `${job.account} (${job.mode})`],
    ['publish id', job.publishId ?? undefined],
    ['video', progress.totalBytes === 0 ? undefined : sizeText(job)],
    ['attempts', job.attempts === 0 ? undefined : `${job.attempts} failed`],
    ['created', timeText(job.createdAt)],
    ['updated', timeText(job.updatedAt)],
    ['metadata', job.metadata === null ? undefined : JSON.stringify(job.metadata)],
  ];
  const known = facts.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(12)}${text}`]));
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
  return facts.map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join('');
}

/**
 * Jobs as a table that fits 80 columns unless account names are long; two lines for each where a terminal is narrower.
 * @param now ms since the epoch
 * @param columns of the terminal; undefined where there is none
 */
export function jobTable(jobs: readonly PublishJob[], now: number, columns?: number): string {
  if (jobs.length === 0) return 'No jobs.';
  const rows = jobs.map((job) => [job.id, stateCell(job), job.account, durationText(now - Date.parse(job.createdAt))]);
  const table = textTable([['JOB', 'STATE', 'ACCOUNT', 'AGE'], ...rows]);
  const tableColumns = Math.max(...table.split('\n').map((line) => line.length));
  if (columns === undefined || tableColumns <= columns) return table;
  return rows.map(([id, ...facts]) => `${id}\n  ${facts.join('  ')}`).join('\n');
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
