import { CommanderError } from 'commander';
import { isErrorCode } from '../core/error-table.ts';
import { type InputProblem, PublishError } from '../core/publish-error.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

/** An error as the command line shows it. */
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
  if (error instanceof PublishError) {
    const { problems } = error.details;
    return {
      exitCode: exitCodeOf(error.code),
      code: error.code,
      message: firstLine(error.message),
      advice: error.row.advice,
      ...(problems !== undefined && { problems }),
    };
  }
  return describeKnownShape(error) ?? describeUnforeseen(error);
}

/** The text for people: what is wrong, each problem, how to fix it. */
export function renderCliError({ code, message, advice, problems = [] }: CliError): string {
  const lines = [`error: ${message}`, ...problems.map(({ path, message: text }) => `  - ${path}: ${text}`)];
  return [...lines, `  ${advice} (${code})`].join('\n');
}

function exitCodeOf(code: string): ExitCode {
  if (FAILED_PUBLISH_CODES.includes(code)) return EXIT_CODES.publishFailed;
  if (/^(INPUT|IDEMPOTENCY|JOB)_/.test(code)) return EXIT_CODES.wrongUse;
  if (/^(CONFIG|REDIS|AUTH)_/.test(code)) return EXIT_CODES.unavailable;
  return EXIT_CODES.publishFailed;
}

function describeWrongUse(error: CommanderError): CliError {
  return {
    exitCode: EXIT_CODES.wrongUse,
    code: 'INPUT_USAGE',
    message: error.message.replace(/^error: /, ''),
    advice: 'Add --help to the command to see what it takes.',
  };
}

/** Settings and Redis have errors of their own, which carry advice and a code of our table. */
function describeKnownShape(error: unknown): CliError | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (!isErrorCode(error.code)) return undefined;
  const advice = 'advice' in error && typeof error.advice === 'string' ? error.advice : undefined;
  const problems = 'problems' in error ? parseProblems(error.problems) : undefined;
  return {
    exitCode: exitCodeOf(error.code),
    code: error.code,
    message: problems === undefined ? error.message : firstLine(error.message),
    advice: advice ?? new PublishError(error.code).row.advice,
    ...(problems !== undefined && { problems }),
  };
}

function parseProblems(value: unknown): InputProblem[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((problem: unknown) => {
    if (typeof problem !== 'object' || problem === null || !('message' in problem)) return [];
    const path = 'variable' in problem ? problem.variable : 'path' in problem ? problem.path : '';
    return [{ path: String(path), message: String(problem.message) }];
  });
}

function describeUnforeseen(error: unknown): CliError {
  return {
    exitCode: EXIT_CODES.publishFailed,
    code: 'INTERNAL_ERROR',
    message: `something unforeseen went wrong: ${firstLine(error instanceof Error ? error.message : String(error))}`,
    advice: 'Run it again with LOG_LEVEL=debug to see where, and tell the maintainers.',
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1).join('').trimEnd();
}
