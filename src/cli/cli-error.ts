import { CommanderError } from 'commander';
import { withoutLineBreaks } from '../core/printable.ts';
import { type InputProblem, PublishError } from '../core/publish-error.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { asTyped } from './option-names.ts';

export interface CliError {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  readonly problems?: readonly InputProblem[];
}

/** Codes that, against their group's rule, are not the caller's mistake. */
const FAILED_PUBLISH_CODES = ['WAIT_TIMED_OUT'];

/** Turns any thrown value into what to show and which code to exit with. */
export function describeError(error: unknown): CliError {
  if (error instanceof CommanderError) return describeWrongUse(error);
  if (error instanceof PublishError) return describePublishError(error);
  return describeUnforeseen(error);
}

/** The human-readable text: what is wrong, each problem, how to fix it. */
export function renderCliError({ code, message, advice, problems = [] }: CliError): string {
  const lines = [`error: ${message}`, ...problems.map(({ path, message: text }) => `  - ${path}: ${text}`)];
  return [...lines, `  ${asTyped(advice)} (${code})`].map(withoutLineBreaks).join('\n');
}

function exitCodeOf(code: string): ExitCode {
  if (FAILED_PUBLISH_CODES.includes(code)) return EXIT_CODES.publishFailed;
  if (/^(INPUT|IDEMPOTENCY|JOB|CALLBACK|OPERATION|EVENTS)_/.test(code)) return EXIT_CODES.wrongUse;
  if (/^(CONFIG|REDIS|AUTH)_/.test(code)) return EXIT_CODES.unavailable;
  return EXIT_CODES.publishFailed;
}

function describePublishError(error: PublishError): CliError {
  const { problems } = error.details;
  return {
    exitCode: exitCodeOf(error.code),
    code: error.code,
    // The problems are rendered into the message, too; here they are shown on their own.
    message: firstLine(error.message).replace(/:$/, ''),
    advice: error.advice,
    ...(problems !== undefined && { problems }),
  };
}

function describeWrongUse(error: CommanderError): CliError {
  return {
    exitCode: EXIT_CODES.wrongUse,
    code: 'INPUT_USAGE',
    // Suggestions of what was meant come on a line of their own.
    message: error.message.replace(/^error: /, '').replaceAll('\n', ' '),
    advice: 'Run the command with --help to see its arguments.',
  };
}

function describeUnforeseen(error: unknown): CliError {
  return {
    exitCode: EXIT_CODES.publishFailed,
    code: 'INTERNAL_ERROR',
    message: `unexpected internal error: ${firstLine(error instanceof Error ? error.message : String(error))}`,
    advice: 'Run the command again with LOG_LEVEL=debug for details, and report the error to the maintainers.',
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1).join('').trimEnd();
}
