import { text } from 'node:stream/consumers';
import { parseAccountInput } from '../../accounts/account-input.ts';
import type { AccountSummary } from '../../accounts/account-record.ts';
import { otherAppText } from '../../accounts/client-key.ts';
import { rekeyAccounts } from '../../accounts/vault-survey.ts';
import type { Client } from '../../app/open-client.ts';
import { loadConfig } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import { timeText } from '../../core/quantity-text.ts';
import { endOldForm } from '../../sealing/published-key.ts';
import type { CliIo, CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { textTable } from '../job-text.ts';
import { withOptionNames } from '../option-names.ts';
import { withClient } from '../with-client.ts';

/** `accounts add`: tokens come over standard input, since arguments can be seen by every user of the machine. */
export async function addAccount(
  account: string,
  options: { readonly openId?: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { io, output } = context;
  // Wrong settings are reported before people paste tokens.
  loadConfig(io.env);
  if (io.stdin.isTTY === true) output.note('Paste the JSON object with the tokens, then press Ctrl-D:');
  const { openId: openIdWithTokens, ...tokens } = parseAccountInput(await readJson(io));
  const openId = options.openId ?? openIdWithTokens;
  if (openId === undefined || openId !== (openIdWithTokens ?? openId)) throw unclearOpenId(openIdWithTokens);
  const run = async ({ accounts }: Client): Promise<undefined> => {
    const connected = await accounts.connect({ ...tokens, account, openId });
    if (connected.missingScopes.length > 0) output.note(missingScopesText(connected.missingScopes));
    output.answer(connected, `Account "${connected.account}" is connected (open_id ${connected.openId}).`);
  };
  // People may add accounts before they start the service, which then finds them.
  return await withClient(context, run, { starter: 'service' });
}

function unclearOpenId(withTokens: string | undefined): PublishError {
  const message =
    withTokens === undefined ? 'required, unless the JSON has "openId"' : 'is not the "openId" of the JSON';
  return new PublishError('INPUT_INVALID', { problems: [{ path: '--open-id', message }] });
}

/** `accounts connect`: a link that the account's owner can be sent. */
export async function connectAccount(
  account: string,
  { returnTo, expiresIn }: { readonly returnTo?: string; readonly expiresIn?: number },
  context: CommandContext,
): Promise<ExitCode> {
  return await withClient(context, async ({ publisher }) => {
    const link = await withOptionNames(() => publisher.connectLink({ account, returnTo, expiresInMs: expiresIn }));
    context.output.answer(
      link,
      `The owner of the TikTok account can connect it as "${account}" with this link, once, until ${timeText(link.expiresAt)}:\n\n${link.url}\n\nThe web server must be running when they open it.`,
    );
  });
}

/** `accounts list`. */
export async function listAccounts(context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    const accounts = await app.accounts.list();
    for (const { account, clientKey, otherApp } of accounts) {
      if (otherApp) context.output.note(`warning: ${otherAppText(account, clientKey)}`);
    }
    context.output.answer({ accounts }, accountTable(accounts));
  });
}

/** `accounts remove`: TikTok is told first, since that takes a token; whether it could be told changes nothing here. */
export async function removeAccount(
  account: string,
  { keepGrant = false }: { readonly keepGrant?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    const outcome = await app.accounts.remove(account, { keepGrant });
    if (outcome.problem !== undefined) context.output.note(notRevokedText(outcome.problem));
    const atTikTok = outcome.revoked ? ' TikTok has revoked the access.' : '';
    context.output.answer(outcome, `Account "${outcome.removed}" and its tokens were removed.${atTikTok}`);
  });
}

/** `accounts pause`. */
export async function pauseAccount(account: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    const summary = await app.accounts.pause(account);
    const text = `Account "${summary.account}" is paused. Its jobs wait until \`accounts resume\`.`;
    context.output.answer(summary, text);
  });
}

/** `accounts resume`. */
export async function resumeAccount(account: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    const summary = await app.accounts.resume(account);
    const waits = summary.status === 'reauthorization_required' ? ', but it must be connected again' : '';
    context.output.answer(summary, `Account "${summary.account}" is no longer paused${waits}.`);
  });
}

function missingScopesText(missing: readonly string[]): string {
  const scopes = missing.join(' and ');
  return `warning: the owner of this account did not grant ${scopes}. Jobs that need ${missing.length > 1 ? 'them' : 'it'} will fail until the account is connected again.`;
}

function notRevokedText(problem: string): string {
  return `The access was not revoked at TikTok: ${problem}. The owner can revoke it in the TikTok app, under the apps and services with access to the account.`;
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
  if (accounts.length === 0) return 'No accounts. Connect one with: tiktok-publisher accounts connect <name>';
  const rows = accounts.map(({ account, openId, status, pauseCode, accessTokenExpiresAt }) => [
    account,
    openId,
    pauseCode === null ? status : `${status} (${pauseCode})`,
    accessTokenExpiresAt === null ? 'unknown' : timeText(accessTokenExpiresAt),
  ]);
  return textTable([['ACCOUNT', 'OPEN ID', 'STATUS', 'TOKEN UNTIL'], ...rows]);
}

/** `accounts rekey`: ends with 3 if some tokens can't be opened with any of the keys. */
export async function rekey({ io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async (app) => {
    const { keys, sealer, requestSecrets } = app.app;
    await endOldForm(app.redis, keys, requestSecrets.publicKeys);
    const { resealed, currentCount, unreadable } = await rekeyAccounts({ redis: app.redis, keys, sealer });
    const resealedSubscriptions = await app.subscriptions.rekey();
    const lines = [
      `${resealed.length} accounts were re-encrypted with the first key, ${currentCount} already used it.`,
      ...unreadable.map(({ account, code, message }) => `  "${account}" could not be read: ${message} (${code})`),
      unreadable.length === 0
        ? 'You can remove the older keys when three conditions are met: every process has the new key first, one hour has passed since then, and every job from before then has ended. (Upload URLs, valid for one hour, and the URLs of jobs are not re-encrypted.)'
        : 'Keep the older keys until these accounts have been connected again or removed.',
    ];
    if (resealedSubscriptions > 0)
      lines.unshift(`${resealedSubscriptions} subscriptions were re-encrypted with the first key.`);
    output.answer({ resealed, currentCount, unreadable, resealedSubscriptions }, lines.join('\n'));
    return unreadable.length === 0 ? EXIT_CODES.success : EXIT_CODES.unavailable;
  });
}
