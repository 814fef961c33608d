import { type Command, Option } from 'commander';
import { DEFAULT_OPERATION_RATE, MAX_OPERATION_RATE, OPERATION_KINDS, type OperationKind } from '../core/operation.ts';
import { MAX_LISTED_JOBS } from '../core/post-limits.ts';
import { withFilter } from './filter-options.ts';
import { signedDuration, wholeNumber } from './option-values.ts';
import { type Run, withJson } from './with-json.ts';

const DESCRIPTIONS: Readonly<Record<OperationKind, string>> = {
  retry: 'retry all failed and unconfirmed jobs that meet the filters, without the risk of posting twice',
  cancel: 'cancel all jobs that meet the filters and have not been published',
  reschedule: 'change the start time of all jobs that meet the filters and have not begun',
};

/** The commands that change many jobs at once. */
export function addOperations(program: Command, run: Run): void {
  const operations = program.command('operations').description('retry, cancel or reschedule many jobs at once');
  for (const kind of OPERATION_KINDS) {
    const command = withFilter(withJson(operations.command(kind))).description(DESCRIPTIONS[kind]);
    if (kind === 'reschedule') {
      command
        .addOption(new Option('--at <time>', 'new start time of all, written as for publish').conflicts('shift'))
        .option('--shift <time>', 'in place of --at: how much later each starts, such as 2h or -30m', signedDuration);
    }
    command
      .option(
        '--rate <n>',
        `jobs changed in a second; ${DEFAULT_OPERATION_RATE} by default`,
        wholeNumber(1, MAX_OPERATION_RATE),
      )
      .option('--dry-run', 'only show what would be done to which jobs')
      .option('--limit <n>', 'with --dry-run: maximum number of jobs shown', wholeNumber(1, MAX_LISTED_JOBS))
      .option('--cursor <cursor>', 'with --dry-run: cursor of the next page, as printed by the previous one')
      .action((options) =>
        run(async (context) => (await import('./commands/operations.ts')).operate(kind, options, context)),
      );
  }
  withJson(operations.command('list'))
    .description('show the newest operations')
    .action(() => run(async (context) => (await import('./commands/operations.ts')).listOperations(context)));
  withJson(operations.command('show'))
    .description('show what an operation has done so far')
    .argument('<id>', 'id of the operation')
    .action((id) => run(async (context) => (await import('./commands/operations.ts')).showOperation(id, context)));
  withJson(operations.command('abort'))
    .description('end an operation; jobs that it has not reached stay as they are')
    .argument('<id>', 'id of the operation')
    .action((id) => run(async (context) => (await import('./commands/operations.ts')).abortOperation(id, context)));
}
