import { type Command, Option } from 'commander';
import { AUDIT_ACTIONS, SCOPES } from '../core/access.ts';
import { MAX_LISTED_JOBS } from '../core/post-limits.ts';
import { PUBLISH_EVENT_TYPES } from '../core/publish-event.ts';
import { duration, wholeNumber } from './option-values.ts';
import { type Run, withJson } from './with-json.ts';

/** The commands for endpoints that get events of many jobs. */
export function addSubscriptions(program: Command, run: Run): void {
  const subscriptions = program.command('subscriptions').description('send events of many jobs to an endpoint');
  withJson(subscriptions.command('create'))
    .description('send events to a URL from now on')
    .argument('<url>', 'URL that receives the events as signed POST requests')
    .addOption(new Option('--type <type...>', 'only events of these types').choices(PUBLISH_EVENT_TYPES))
    .option('--account <name...>', 'only events of these accounts')
    .option('--after <cursor>', 'also stored events after this cursor; 0 for all stored events')
    .action((url, options) =>
      run(async (context) => (await import('./commands/subscriptions.ts')).createSubscription(url, options, context)),
    );
  withJson(subscriptions.command('list'))
    .description('show the subscriptions, or the deliveries of one')
    .argument('[id]', 'id of a subscription, to show its deliveries')
    .action((id) =>
      run(async (context) => (await import('./commands/subscriptions.ts')).listSubscriptions(id, context)),
    );
  withJson(subscriptions.command('test'))
    .description('send a test event')
    .argument('<id>', 'id of the subscription')
    .action((id) =>
      run(async (context) => (await import('./commands/subscriptions.ts')).testSubscription(id, context)),
    );
  withJson(subscriptions.command('delete'))
    .description('delete a subscription; nothing more is sent')
    .argument('<id>', 'id of the subscription')
    .action((id) =>
      run(async (context) => (await import('./commands/subscriptions.ts')).deleteSubscription(id, context)),
    );
}

/** The commands for API keys, and the audit trail. */
export function addKeys(program: Command, run: Run): void {
  const keys = program.command('keys').description('manage API keys');
  withJson(keys.command('create'))
    .description('create an API key and print it, once')
    .argument('<name>', 'who uses the key, as the audit trail will name it')
    .addOption(
      new Option('--scope <scope...>', 'what the key may do; admin includes the others')
        .choices(SCOPES)
        .makeOptionMandatory(),
    )
    .option('--account <name...>', 'the only accounts that exist for the key; all by default')
    .option('--expires-in <time>', 'when the key stops working, such as 12h or 90d; never by default', duration)
    .action((name, options) =>
      run(async (context) => (await import('./commands/keys.ts')).createKey(name, options, context)),
    );
  withJson(keys.command('list'))
    .description('show the API keys that work now, without the keys themselves')
    .action(() => run(async (context) => (await import('./commands/keys.ts')).listKeys(context)));
  withJson(keys.command('revoke'))
    .description('revoke an API key')
    .argument('<id>', 'id of the key, as printed by `keys list`')
    .action((id) => run(async (context) => (await import('./commands/keys.ts')).revokeKey(id, context)));
  withJson(program.command('audit'))
    .description('show what people and API keys changed, newest first')
    .option('--account <name>', 'only changes that concern this account')
    .option('--subject <id>', 'only changes of this job, account or key')
    .option('--by <who>', 'only changes by this person or key, such as "key shop"')
    .addOption(new Option('--action <action>', 'only such changes').choices(AUDIT_ACTIONS))
    .option('--limit <n>', 'maximum number of changes', wholeNumber(1, MAX_LISTED_JOBS))
    .option('--cursor <cursor>', 'cursor of the next page, as printed by the previous one')
    .action((options) => run(async (context) => (await import('./commands/keys.ts')).showAudit(options, context)));
}
