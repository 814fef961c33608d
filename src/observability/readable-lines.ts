import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printable } from '../core/printable.ts';

/** Where the lines of a process go. */
export interface LogStream {
  readonly isTTY?: boolean;
  /** Whether it shows colours; NO_COLOR says that it must not. */
  hasColors?(): boolean;
  write(text: string): unknown;
}

/** Writes the lines of a log for people: local time, level, message, and the other fields behind it. */
export function readableLines(stream: LogStream): DestinationStream {
  const readable = prettyFactory({
    colorize: stream.isTTY === true && stream.hasColors?.() === true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return { write: (line) => void stream.write(readable(withPrintableTexts(line))) };
}

/** A line of the log whose texts a terminal shows instead of obeying them. */
function withPrintableTexts(line: string): unknown {
  try {
    return JSON.parse(line, (_name, value: unknown) => (typeof value === 'string' ? printable(value) : value));
  } catch {
    return printable(line);
  }
}
