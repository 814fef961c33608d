import type { Readable } from 'node:stream';
import pc from 'picocolors';
import { wrapText } from './wrap-text.ts';

/** A stream to print to; a terminal says so and how wide it is. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command talks to. Handed in, so that tests can listen. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a command answers: JSON for programs or text for people on standard output, the rest on standard error. */
export interface Output {
  readonly json: boolean;
  /** The answer: `value` as one line of JSON, or else `text`. */
  answer(value: unknown, text: string): void;
  /** As {@link answer}, with long lines of `text` broken between words on a terminal: for what nobody pastes. */
  answerProse(value: unknown, text: string): void;
  /** Something to know beside the answer, human-readable; nothing of it reaches standard output. */
  note(text: string): void;
  /** A human-readable error; its first word is coloured on a terminal. */
  fail(text: string): void;
  /** A line of a live report: on standard output for people, on standard error beside JSON. */
  step(text: string): void;
}

/** Builds the output of one command. */
export function createOutput({ stdout, stderr, env }: Omit<CliIo, 'stdin'>, json: boolean): Output {
  // no-color.org: set to anything, it turns colours off.
  const { red } = pc.createColors(stderr.isTTY === true && !env.NO_COLOR);
  const answer = (value: unknown, text: string) => void stdout.write(`${json ? JSON.stringify(value) : text}\n`);
  return {
    json,
    answer,
    answerProse: (value, text) => answer(value, wrapText(text, stdout.columns)),
    note: (text) => void stderr.write(`${text}\n`),
    fail: (text) => void stderr.write(`${wrapText(text, stderr.columns).replace(/^\w+:/, (word) => red(word))}\n`),
    step: (text) => {
      const stream = json ? stderr : stdout;
      stream.write(`${wrapText(text, stream.columns)}\n`);
    },
  };
}
