import { createInterface } from 'node:readline';
import { printable } from '../core/printable.ts';
import type { CliIo } from './cli-io.ts';

/**
 * Asks a person a question that only "y" or "yes" affirms. Input that ends does not.
 * @throws the signal's reason when aborted
 */
export async function affirms(question: string, { stdin, stderr }: CliIo, signal: AbortSignal): Promise<boolean> {
  stderr.write(`${printable(question)} [y/N] `);
  // Without a terminal's own handling of Ctrl-C, which then reaches the process as usual.
  const lines = createInterface({ input: stdin, terminal: false, signal });
  for await (const line of lines) return /^y(es)?$/i.test(line.trim());
  signal.throwIfAborted();
  return false;
}
