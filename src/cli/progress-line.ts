import type { PublishJob } from '../core/publish-job.ts';
import { MEGABYTE_BYTES, SECOND_MS } from '../core/units.ts';
import { headline, percentText } from './job-text.ts';

/** Leaves room for the usual numbers in 80 columns, so that the bar keeps its length. */
const LONGEST_BAR_CHARS = 36;
const SHORTEST_BAR_CHARS = 8;
const ELLIPSIS = '…';

/** What the line shows beside the job. */
export interface UploadSpeed {
  /** Accepted per second since the upload was first seen; undefined while unknown. */
  readonly bytesPerSecond: number | undefined;
}

/**
 * One line about a job that fits the terminal: a bar while bytes move, words otherwise. What TikTok has accepted is
 * drawn solid, what was only sent is drawn shaded.
 */
export function progressLine(job: PublishJob, { bytesPerSecond }: UploadSpeed, columns: number): string {
  // A full last column makes some terminals wrap.
  const widthChars = columns - 1;
  if (job.state !== 'uploading' || job.progress.totalBytes === 0) return cut(headline(job), widthChars);
  const { totalBytes, acceptedBytes } = job.progress;
  const facts = [percentText(job).padStart(4), `${megabytes(acceptedBytes)}/${megabytes(totalBytes)} MB`];
  if (bytesPerSecond !== undefined) facts.push(`${megabytes(bytesPerSecond)} MB/s`);
  const label = 'uploading ';
  const rest = ` ${facts.join('  ')}`;
  const barChars = Math.min(LONGEST_BAR_CHARS, widthChars - label.length - rest.length);
  if (barChars < SHORTEST_BAR_CHARS) return cut(label + rest.trimStart(), widthChars);
  return `${label}${bar(job, barChars)}${rest}`;
}

function bar({ progress: { totalBytes, sentBytes, acceptedBytes } }: PublishJob, lengthChars: number): string {
  const solidChars = Math.floor((acceptedBytes / totalBytes) * lengthChars);
  const shadedChars = Math.max(0, Math.floor((sentBytes / totalBytes) * lengthChars) - solidChars);
  return '█'.repeat(solidChars) + '▒'.repeat(shadedChars) + '░'.repeat(lengthChars - solidChars - shadedChars);
}

function cut(text: string, widthChars: number): string {
  return text.length <= widthChars ? text : text.slice(0, Math.max(0, widthChars - 1)) + ELLIPSIS;
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE_BYTES).toFixed(1);
}

/** Measures the upload speed of one watched job. */
export function createSpeedometer(): (job: PublishJob, now: number) => UploadSpeed {
  let start: { readonly at: number; readonly bytes: number } | undefined;
  return (job, now) => {
    const { acceptedBytes } = job.progress;
    if (job.state !== 'uploading') return { bytesPerSecond: undefined };
    start ??= { at: now, bytes: acceptedBytes };
    const gainedBytes = acceptedBytes - start.bytes;
    if (gainedBytes <= 0 || now <= start.at) return { bytesPerSecond: undefined };
    return { bytesPerSecond: (gainedBytes * SECOND_MS) / (now - start.at) };
  };
}
