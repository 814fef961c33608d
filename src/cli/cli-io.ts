import type { Readable } from 'node:stream';
import pc from 'picocolors';
import { printable, printableJson } from '../core/printable.ts';

const LEAST_TEXT_COLUMNS = 20;
/** A label, or several, as in `WRONG  redis     message`; or the dash of a list. */
const LABELS = /^(?:\s*- |\s*(?:\S+(?: \S+)? {2,}){0,2})/;

/** A stream to print to; a terminal says so and how wide it is. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Of the process's own streams. */
  readonly fd?: number;
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

/**
 * Builds the output of one command: the one place where text for people is printed, which a terminal must not obey.
 *
 * @param commands the names of all commands, which texts tell people to run
 */
export function createOutput(
  { stdout, stderr, env }: Omit<CliIo, 'stdin'>,
  json: boolean,
  commands: ReadonlySet<string>,
): Output {
  // no-color.org: set to anything, it turns colours off.
  const { red } = pc.createColors(stderr.isTTY === true && !env.NO_COLOR);
  const shown = (text: string) => asCalled(printable(text), env, commands);
  const write = (value: unknown, text: string) => void stdout.write(`${json ? printableJson(value) : text}\n`);
  return {
    json,
    answer: (value, text) => write(value, shown(text)),
    answerProse: (value, text) => write(value, wrapText(shown(text), stdout.columns)),
    note: (text) => void stderr.write(`${shown(text)}\n`),
    fail: (text) =>
      void stderr.write(`${wrapText(shown(text), stderr.columns).replace(/^\w+:/, (word) => red(word))}\n`),
    step: (text) => {
      const stream = json ? stderr : stdout;
      stream.write(`${wrapText(shown(text), stream.columns)}\n`);
    },
  };
}

/** Commands in texts, as this program was called: who runs it through npx has none of its name. */
function asCalled(text: string, env: CliIo['env'], commands: ReadonlySet<string>): string {
  // npm says so to what `npx` and `npm exec` run.
  if (env.npm_command !== 'exec') return text;
  return text.replaceAll(/(?<![\w/.-])tiktok-publisher (?=([a-z]+))/g, (name, command) =>
    commands.has(command) ? `npx ${name}` : name,
  );
}

/**
 * Breaks long lines between words, so that a terminal does not break them within one. What follows labels stays in
 * its column. Lines without spaces, such as URLs, stay whole.
 * @param columns of the terminal; undefined where there is none, and nothing is changed
 * @internal
 */
export function wrapText(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string[] {
  const labels = LABELS.exec(line)?.[0] ?? '';
  const indent = columns - labels.length < LEAST_TEXT_COLUMNS ? '  ' : ' '.repeat(labels.length);
  const lines: string[] = [];
  let current = labels;
  let isEmpty = true;
  for (const word of line.slice(labels.length).split(' ')) {
    if (!isEmpty && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = indent;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current];
}

export interface CommandContext {
  readonly io: CliIo;
  readonly output: Output;
}
