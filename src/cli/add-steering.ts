import { type Command, Option } from 'commander';
import { MAX_PRIORITY } from '../core/post-limits.ts';
import { JOB_ID, parseJsonObject, wholeNumber } from './option-values.ts';
import { type Run, withJson } from './with-json.ts';

/** The commands that change jobs. */
export function addSteering(program: Command, run: Run): void {
  withJson(program.command('cancel'))
    .description('cancel a job that cannot have been published yet')
    .argument('<id>', JOB_ID)
    .action((id) => run(async (context) => (await import('./commands/jobs.ts')).cancel(id, context)));
  withJson(program.command('update'))
    .description('change a job that has not begun')
    .argument('<id>', JOB_ID)
    .addOption(new Option('--at <time>', 'publish at this time, written as for publish').conflicts('now'))
    .option('--now', 'publish now')
    .addOption(new Option('--not-after <time>', 'fail instead of publishing later than this time').conflicts('anyTime'))
    .option('--any-time', 'remove the limit of --not-after')
    .option('--priority <n>', 'lower numbers run first', wholeNumber(0, MAX_PRIORITY))
    .option('--title <text>', 'caption of the post')
    .option('--privacy <level>', 'who can see the post, written as for publish')
    .option(
      '--post <json>',
      'settings of the post as JSON, such as {"disableDuet": true}; null removes one',
      parseJsonObject,
    )
    .action((id, options) => run(async (context) => (await import('./commands/jobs.ts')).update(id, options, context)));
  withJson(program.command('retry'))
    .description('retry a failed or unconfirmed job without the risk of posting twice')
    .argument('<id>', JOB_ID)
    .option('--force', 'start again even if the post may have been published; check on TikTok first')
    .action((id, options) => run(async (context) => (await import('./commands/jobs.ts')).retry(id, options, context)));
  withJson(program.command('pause'))
    .description('pause all publishing, or change the pause; uploads under way finish, and jobs are still accepted')
    .option('--reason <text>', 'why, for people')
    .addOption(
      new Option('--until <time>', 'when the pause ends by itself, written as for publish').conflicts('untilResumed'),
    )
    .option('--until-resumed', 'remove the end of --until')
    .action((options) => run(async (context) => (await import('./commands/pause.ts')).pause(options, context)));
  withJson(program.command('paused'))
    .description('show whether all publishing is paused, and why')
    .action(() => run(async (context) => (await import('./commands/pause.ts')).paused(context)));
  withJson(program.command('resume'))
    .description('resume all publishing')
    .action(() => run(async (context) => (await import('./commands/pause.ts')).resume(context)));
}
