import type { Command } from 'commander';
import { duration } from './option-values.ts';
import { type Run, withJson } from './with-json.ts';

/** The commands for TikTok accounts. */
export function addAccounts(program: Command, run: Run): void {
  const accounts = program.command('accounts').description('connect TikTok accounts');
  withJson(accounts.command('add'))
    .description(
      'add an account, or replace its tokens; reads {"openId", "accessToken", "expiresIn", "refreshToken", "refreshExpiresIn", "scope"} from standard input',
    )
    .argument('<account>', 'account name for publish requests')
    .option('--open-id <id>', "TikTok's id (open_id) of the user; required, unless the JSON has it")
    .action((account, options) =>
      run(async (context) => (await import('./commands/accounts.ts')).addAccount(account, options, context)),
    );
  withJson(accounts.command('list'))
    .description('show accounts, without tokens')
    .action(() => run(async (context) => (await import('./commands/accounts.ts')).listAccounts(context)));
  withJson(accounts.command('connect'))
    .description('create a link with which the owner connects a TikTok account, once')
    .argument('<account>', 'account name for publish requests')
    .option('--return-to <url>', 'where the browser goes in the end, at an origin of CONNECT_RETURN_ORIGINS')
    .option('--expires-in <time>', 'how long the link works, such as 30m, 12h or 7d (default: 1d)', duration)
    .action((account, options) =>
      run(async (context) => (await import('./commands/accounts.ts')).connectAccount(account, options, context)),
    );
  withJson(accounts.command('pause'))
    .description('pause all publishing of an account')
    .argument('<account>', 'name or open_id')
    .action((account) =>
      run(async (context) => (await import('./commands/accounts.ts')).pauseAccount(account, context)),
    );
  withJson(accounts.command('resume'))
    .description('resume a paused account')
    .argument('<account>', 'name or open_id')
    .action((account) =>
      run(async (context) => (await import('./commands/accounts.ts')).resumeAccount(account, context)),
    );
  withJson(accounts.command('remove'))
    .description('delete an account and its tokens, and revoke the access at TikTok')
    .argument('<account>', 'name or open_id')
    .option('--keep-grant', 'do not revoke the access at TikTok, because another program uses it')
    .action((account, options) =>
      run(async (context) => (await import('./commands/accounts.ts')).removeAccount(account, options, context)),
    );
  withJson(accounts.command('rekey'))
    .description('re-encrypt all tokens with the first key of ENCRYPTION_KEYS, so that the other keys can be removed')
    .action(() => run(async (context) => (await import('./commands/accounts.ts')).rekey(context)));
}
