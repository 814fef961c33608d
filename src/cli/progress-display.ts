import { SingleBar } from 'cli-progress';
import type { PublishJob } from '../core/publish-job.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { OutputStream } from './cli-io.ts';
import { headline, percentOf } from './job-text.ts';
import { createSpeedometer, progressLine } from './progress-line.ts';

/** Shows how a job goes on. */
export interface ProgressDisplay {
  show(job: PublishJob): void;
  /** Leaves the last line as it is and gives the terminal back. */
  stop(): void;
}

/** A redrawn line on a terminal, now and then a plain line elsewhere. */
export function createProgressDisplay(stream: OutputStream): ProgressDisplay {
  return stream.isTTY === true ? createLiveLine(stream) : createPlainLines(stream);
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
      const text = headline(job);
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
