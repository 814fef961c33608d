import { Worker } from 'node:worker_threads';
import { durationText } from '../core/quantity-text.ts';
import { SECOND_MS } from '../core/units.ts';
import type { OutputStream } from './cli-io.ts';

const LIVE_EVERY_MS = SECOND_MS;
const PLAIN_EVERY_MS = 1.5 * SECOND_MS;
const CLEAR_LINE = '\r\u001B[2K';

/** Tells that something goes on until it ends: in a line that is rewritten on a terminal, in new lines elsewhere. */
export async function tellWhile<T>(stream: OutputStream, text: string, work: Promise<T>): Promise<T> {
  const isLive = stream.isTTY === true;
  const startedAt = performance.now();
  const tell = (): void => {
    const line = `${text} (${durationText(performance.now() - startedAt)})`;
    stream.write(isLive ? CLEAR_LINE + line : `${line}\n`);
  };
  const timer = setInterval(tell, isLive ? LIVE_EVERY_MS : PLAIN_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isLive) stream.write(CLEAR_LINE);
  }
}

/** Loads nothing but Node's own, so that it speaks early. A full pipe drops a line. */
const TELLER = `
const { writeSync } = require('node:fs');
const { fd, before, text, after, everyMs } = require('node:worker_threads').workerData;
const startedAt = performance.now();
setInterval(() => {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  try { writeSync(fd, before + text + ' (' + seconds + ' s)' + after); } catch {}
}, everyMs);`;

/** The same for work that keeps this thread busy, such as loading modules: a thread of its own tells. */
export async function tellWhileBusy<T>(stream: OutputStream, text: string, work: () => Promise<T>): Promise<T> {
  const { fd } = stream;
  if (fd === undefined) return await tellWhile(stream, text, work());
  const isLive = stream.isTTY === true;
  const how = isLive
    ? { before: CLEAR_LINE, after: '', everyMs: LIVE_EVERY_MS }
    : { before: '', after: '\n', everyMs: PLAIN_EVERY_MS };
  const teller = new Worker(TELLER, { eval: true, workerData: { fd, text, ...how } });
  // What only tells must not be what fails.
  teller.on('error', () => undefined);
  try {
    return await work();
  } finally {
    await teller.terminate();
    if (isLive) stream.write(CLEAR_LINE);
  }
}
