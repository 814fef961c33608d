import { Command, CommanderError } from 'commander';
import { settingIn } from '../config/given-settings.ts';
import { describeError, renderCliError } from './cli-error.ts';
import { type CliIo, createOutput, type Output } from './cli-io.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { Interrupted } from './interrupt.ts';
import { buildProgram } from './program.ts';

/**
 * Runs one command line and tells the exit code; never throws.
 * @param args what follows the program's name
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.success;
  const program = new Command().exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    // Help that nobody asked for is a diagnostic; errors are reported below, in one form for all.
    writeErr: (text) => void io.stderr.write(text),
    outputError: () => {},
  });
  buildProgram(program, async (command) => {
    exitCode = await command({ io, output });
  });
  const commands = new Set(program.commands.map((command) => command.name()));
  const output = createOutput(io, args.includes('--json'), commands);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, io, output);
  }
}

/** Reports an error from before any command, such as a file of settings that is refused. */
export function reportFailedStart(error: unknown, args: readonly string[], io: CliIo): ExitCode {
  return report(error, io, createOutput(io, args.includes('--json'), new Set()));
}

function report(error: unknown, io: CliIo, output: Output): ExitCode {
  if (error instanceof Interrupted) return EXIT_CODES.interrupted;
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT_CODES.success;
  // Without a command commander has printed the help already.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT_CODES.wrongUse;
  const described = describeError(error);
  if (output.json) {
    const { exitCode: _, ...shown } = described;
    output.answer({ error: shown }, '');
  } else {
    output.fail(renderCliError(described));
  }
  if (['debug', 'trace'].includes(settingIn(io.env, 'LOG_LEVEL') ?? '')) output.note(stackOf(error));
  return described.exitCode;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`;
}
