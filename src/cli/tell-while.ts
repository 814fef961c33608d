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
