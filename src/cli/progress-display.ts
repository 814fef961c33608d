import { SingleBar } from 'cli-progress';
import { headline, percentOf, percentText } from '../core/headline.ts';
import { oneLine } from '../core/post-text.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { MEGABYTE_BYTES, MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { OutputStream } from './cli-io.ts';

/** Leaves room for the usual numbers in 80 columns, so that the bar keeps its length. */
const LONGEST_BAR_CHARS = 36;
const SHORTEST_BAR_CHARS = 8;
const ELLIPSIS = '…';

export interface ProgressDisplay {
  show(job: PublishJob): void;
  /** Leaves the last line as it is and gives the terminal back. */
  stop(): void;
}

/**
 * A redrawn line on a terminal, plain lines elsewhere.
 * @param plainEveryMs how often there is a plain line, also if nothing has changed; by default now and then
 */
export function createProgressDisplay(
  stream: OutputStream,
  { plainEveryMs }: { readonly plainEveryMs?: number } = {},
): ProgressDisplay {
  if (stream.isTTY === true) return createLiveLine(stream);
  return plainEveryMs === undefined ? createPlainLines(stream) : createSteadyLines(stream, plainEveryMs);
}

const DEFAULT_COLUMNS = 80;

function createLiveLine(stream: OutputStream): ProgressDisplay {
  const speed = createSpeedometer();
  let line = '';
  // The library keeps the terminal in order (cursor, redraw, resize); the text is ours.
  const liveLine = new SingleBar({ stream, format: () => line, hideCursor: true, linewrap: false, forceRedraw: true });
  let isStarted = false;
  return {
    show(job) {
      line = progressLine(job, speed(job, performance.now()), stream.columns ?? DEFAULT_COLUMNS);
      if (isStarted) liveLine.update(0);
      else liveLine.start(1, 0);
      isStarted = true;
    },
    stop() {
      if (isStarted) liveLine.stop();
      isStarted = false;
    },
  };
}

const PLAIN_LINE_EVERY_MS = 2 * SECOND_MS;
/** A log of a long upload should be short: a line for every tenth, and one a minute to see that it lives. */
const PLAIN_LINE_EVERY_PERCENT = 10;
const PLAIN_LINE_AT_LEAST_EVERY_MS = MINUTE_MS;

/** At once when the state changes, else when there is enough to tell. */
function createPlainLines(stream: OutputStream): ProgressDisplay {
  let shown = { state: '', text: '', percent: 0, at: 0 };
  return {
    show(job) {
      const text = lineAbout(job);
      const now = performance.now();
      const percent = percentOf(job);
      const silentMs = now - shown.at;
      const hasMoved = job.state !== 'uploading' || percent - shown.percent >= PLAIN_LINE_EVERY_PERCENT;
      const isDue =
        job.state !== shown.state ||
        (hasMoved && silentMs >= PLAIN_LINE_EVERY_MS) ||
        silentMs >= PLAIN_LINE_AT_LEAST_EVERY_MS;
      if (!isDue || text === shown.text) return;
      shown = { state: job.state, text, percent, at: now };
      stream.write(`${text}\n`);
    },
    stop() {},
  };
}

/** What happens to a job, which may quote TikTok, as one line that a terminal does not obey. */
const lineAbout = (job: PublishJob): string => oneLine(headline(job));

/** For what is short: at once when the state changes, and the latest again and again, so that nothing seems to hang. */
function createSteadyLines(stream: OutputStream, everyMs: number): ProgressDisplay {
  let latest: PublishJob | undefined;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    if (latest !== undefined) stream.write(`${lineAbout(latest)}\n`);
  };
  return {
    show(job) {
      const hasState = timer !== undefined && latest?.state === job.state;
      latest = job;
      if (hasState) return;
      tell();
      clearInterval(timer);
      timer = setInterval(tell, everyMs);
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

interface UploadSpeed {
  /** Accepted per second since the upload was first seen; undefined while unknown. */
  readonly bytesPerSecond: number | undefined;
}

/**
 * One line about a job that fits the terminal: a bar while bytes move, words otherwise. What TikTok has accepted is
 * drawn solid, what was only sent is drawn shaded.
 * @internal
 */
export function progressLine(job: PublishJob, { bytesPerSecond }: UploadSpeed, columns: number): string {
  // A full last column makes some terminals wrap.
  const widthChars = columns - 1;
  if (job.state !== 'uploading' || job.progress.totalBytes === 0) return cut(lineAbout(job), widthChars);
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

/** Measures the upload speed of one watched job. @internal */
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
