import { SingleBar } from 'cli-progress';
import type { PublishJob } from '../core/publish-job.ts';
import { SECOND_MS } from '../core/units.ts';
import type { OutputStream } from './cli-io.ts';
import { headline } from './job-text.ts';
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

/** At once when the state changes, else at most one line in two seconds. */
function createPlainLines(stream: OutputStream): ProgressDisplay {
  let shown = { state: '', text: '', at: 0 };
  return {
    show(job) {
      const text = headline(job);
      const now = performance.now();
      const isDue = job.state !== shown.state || now - shown.at >= PLAIN_LINE_EVERY_MS;
      if (!isDue || text === shown.text) return;
      shown = { state: job.state, text, at: now };
      stream.write(`${text}\n`);
    },
    stop() {},
  };
}
