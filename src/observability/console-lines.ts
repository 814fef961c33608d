import { format } from 'node:util';
import type { Logger } from 'pino';

const MAX_CHARS = 500;

/**
 * Takes what libraries write to the console, such as BullMQ's warning about the eviction policy, into the log: each text
 * once. Only for a process of our own: in another app's, the console is that app's.
 *
 * @returns gives the console back
 */
export function logConsoleLines(log: Logger): () => void {
  const { warn, error } = console;
  const seen = new Set<string>();
  const write = (...parts: unknown[]): void => {
    const text = format(...parts)
      .replace(/\/\/[^\s/@]*@/g, '//')
      .replace(/\s+/g, ' ')
      .slice(0, MAX_CHARS);
    if (seen.has(text)) return;
    seen.add(text);
    log.warn({ text }, 'a library wrote to the console');
  };
  Object.assign(console, { warn: write, error: write });
  return () => void Object.assign(console, { warn, error });
}
