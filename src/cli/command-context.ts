import type { CliIo, Output } from './cli-io.ts';

/** What every command is given. */
export interface CommandContext {
  readonly io: CliIo;
  readonly output: Output;
}
