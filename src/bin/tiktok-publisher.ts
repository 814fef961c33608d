#!/usr/bin/env node
import { setProcessFlags } from '../app/process-flags.ts';
import { EXIT_CODES } from '../cli/exit-codes.ts';

setProcessFlags();
const { readEnvironment } = await import('../config/environment.ts');
const { runCli } = await import('../cli/run-cli.ts');

// A reader that has seen enough, such as `head`, closes the pipe: no reason for a stack trace.
process.stdout.on('error', () => process.exit(EXIT_CODES.success));

const { stdin, stdout, stderr } = process;
const env = await readEnvironment(process.cwd());
const exitCode = await runCli(process.argv.slice(2), { stdin, stdout, stderr, env });
// Whatever is still open must not hold the process; what was printed must be out.
stdout.write('', () => process.exit(exitCode));
