#!/usr/bin/env node
import { readEnvironment } from '../config/environment.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { setProcessFlags } from './process-flags.ts';
import { reportFailedStart, runCli } from './run-cli.ts';

setProcessFlags();

// A reader that has seen enough, such as `head`, closes the pipe: no reason for a stack trace.
process.stdout.on('error', () => process.exit(EXIT_CODES.success));

const { stdin, stdout, stderr } = process;
const args = process.argv.slice(2);
const exitCode = await readEnvironment(process.cwd()).then(
  (env) => runCli(args, { stdin, stdout, stderr, env }),
  (error: unknown) => reportFailedStart(error, args, { stdin, stdout, stderr, env: {} }),
);
// Whatever is still open must not hold the process; what was printed must be out.
stdout.write('', () => process.exit(exitCode));
