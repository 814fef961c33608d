import { PassThrough, Readable } from 'node:stream';
import type { CliIo, OutputStream } from '../../../src/cli/cli-io.ts';

/** Streams for a command, and what was printed to them. */
export interface CapturedIo extends CliIo {
  printed(): { stdout: string; stderr: string };
}

/** A stream that keeps what is written; a terminal if it is given columns. */
export function capturedStream(columns?: number): { stream: OutputStream; text: () => string } {
  const parts: string[] = [];
  const through = new PassThrough();
  through.on('data', (part: Buffer) => parts.push(part.toString()));
  const stream = columns === undefined ? through : Object.assign(through, { isTTY: true, columns });
  return { stream, text: () => parts.join('') };
}

export function capturedIo(input: { stdin?: string; env?: Record<string, string> } = {}): CapturedIo {
  const [stdout, stderr] = [capturedStream(), capturedStream()];
  return {
    stdin: Readable.from([input.stdin ?? '']),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: input.env ?? {},
    printed: () => ({ stdout: stdout.text(), stderr: stderr.text() }),
  };
}
