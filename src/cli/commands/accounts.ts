import { text } from 'node:stream/consumers';
import { parseAccountInput } from '../../accounts/account-input.ts';
import type { AccountSummary } from '../../accounts/account-record.ts';
import { loadConfig } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { CliIo } from '../cli-io.ts';
import type { CommandContext } from '../command-context.ts';
import { openClientApp } from '../compose-client.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { textTable } from '../job-text.ts';
import { timeText } from '../quantity-text.ts';

/** `accounts add`: tokens come over standard input, since arguments can be seen by every user of the machine. */
export async function addAccount(
  account: string,
  { openId }: { readonly openId: string },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  const config = loadConfig(io.env);
  if (io.stdin.isTTY === true) output.note('Paste the JSON object with the tokens, then press Ctrl-D:');
  const tokens = parseAccountInput(await readJson(io));
  const app = await openClientApp(config, io);
  try {
    const summary = await app.vault.add({ ...tokens, account, openId });
    output.answer(summary, `Account "${summary.account}" is connected (open_id ${summary.openId}).`);
    return EXIT_CODES.success;
  } finally {
    await app.close();
  }
}

/** `accounts list`. */
export async function listAccounts({ io, output }: CommandContext): Promise<ExitCode> {
  const app = await openClientApp(loadConfig(io.env), io);
  try {
    const accounts = await app.vault.list();
    output.answer({ accounts }, accountTable(accounts));
    return EXIT_CODES.success;
  } finally {
    await app.close();
  }
}

/** `accounts remove`. */
export async function removeAccount(account: string, { io, output }: CommandContext): Promise<ExitCode> {
  const app = await openClientApp(loadConfig(io.env), io);
  try {
    const name = await app.vault.resolve(account);
    await app.vault.remove(name);
    output.answer({ removed: name }, `Account "${name}" and its tokens are gone.`);
    return EXIT_CODES.success;
  } finally {
    await app.close();
  }
}

async function readJson({ stdin }: CliIo): Promise<unknown> {
  const input = await text(stdin);
  try {
    return JSON.parse(input);
  } catch {
    // The parser's own message would quote the input, that is a token.
    const got = input.trim() === '' ? 'nothing' : `${input.length} characters that are not JSON`;
    const message = `expected a JSON object such as {"accessToken": "act.…", "expiresIn": 7200, "refreshToken": "rft.…"}, got ${got}`;
    throw new PublishError('INPUT_INVALID', {
      reason: 'the tokens cannot be read',
      problems: [{ path: 'standard input', message }],
    });
  }
}

function accountTable(accounts: readonly AccountSummary[]): string {
  if (accounts.length === 0)
    return 'No accounts. Connect one with: tiktok-publisher accounts add <name> --open-id <id>';
  const rows = accounts.map(({ account, openId, status, accessTokenExpiresAt }) => [
    account,
    openId,
    status,
    accessTokenExpiresAt === null ? 'unknown' : timeText(accessTokenExpiresAt),
  ]);
  return textTable([['ACCOUNT', 'OPEN ID', 'STATUS', 'TOKEN UNTIL'], ...rows]);
}
