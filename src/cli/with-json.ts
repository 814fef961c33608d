import type { Command } from 'commander';
import type { CommandContext } from './cli-io.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs a command and keeps its exit code. */
export type Run = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** Gives a command the option that every command has. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print only JSON on standard output');
}
