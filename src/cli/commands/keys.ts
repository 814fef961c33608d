import type { AuditEntry, AuditFilter, KeyRequest, Scope } from '../../core/access.ts';
import { changeTexts } from '../../core/audit-change.ts';
import { DEFAULT_LISTED_JOBS } from '../../core/post-limits.ts';
import { PublishError } from '../../core/publish-error.ts';
import { timeText } from '../../core/quantity-text.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { textTable } from '../job-text.ts';
import { withClient } from '../with-client.ts';

export interface CreateKeyOptions {
  readonly scope: readonly Scope[];
  readonly account?: readonly string[];
  /** From now (ms). */
  readonly expiresIn?: number;
}

/** `keys create`: shows the key, once. */
export async function createKey(
  name: string,
  { scope: scopes, account: accounts, expiresIn }: CreateKeyOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return await withClient(context, async ({ apiKeys, by }) => {
    const request: KeyRequest = {
      ...{ name, scopes: [...scopes] },
      ...(accounts !== undefined && { accounts: [...accounts] }),
      ...(expiresIn !== undefined && { expiresAt: new Date(Date.now() + expiresIn).toISOString() }),
    };
    const { key, ...made } = await apiKeys.create(request, by);
    context.output.note('This key is shown only now. Send it as "Authorization: Bearer <key>".');
    context.output.answer({ ...made, key }, key);
  });
}

/** `keys list`. */
export async function listKeys(context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ apiKeys }) => {
    const keys = await apiKeys.list();
    const rows = keys.map(({ id, name, scopes, accounts, expiresAt }) => [
      ...[id, name, scopes.join(' '), accounts?.join(' ') ?? 'all'],
      expiresAt === null ? 'never' : timeText(expiresAt),
    ]);
    const none = 'No keys. Create one with: tiktok-publisher keys create <name> --scope read';
    const table = textTable([['ID', 'NAME', 'SCOPES', 'ACCOUNTS', 'EXPIRES'], ...rows]);
    context.output.answer({ keys }, keys.length === 0 ? none : table);
  });
}

/** `keys revoke`. */
export async function revokeKey(id: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ apiKeys, by }) => {
    const revoked = await apiKeys.revoke(id, by);
    if (revoked === undefined) {
      const problems = [{ path: 'id', message: 'expected the id of a key; see `keys list`' }];
      throw new PublishError('INPUT_INVALID', { reason: 'no key has this id', problems });
    }
    context.output.answer(revoked, `The key "${revoked.name}" was revoked. It stops working immediately.`);
  });
}

export interface AuditOptions extends AuditFilter {
  readonly limit?: number;
  readonly cursor?: string;
}

/** `audit`: who changed what. */
export async function showAudit(
  { limit = DEFAULT_LISTED_JOBS, cursor, ...filter }: AuditOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return await withClient(context, async ({ audit }) => {
    const page = await audit.list(filter, { limit, cursor });
    context.output.answer(page, page.entries.length === 0 ? 'No changes found.' : auditTable(page.entries));
    if (page.nextCursor !== null) context.output.note(`More changes: add --cursor ${page.nextCursor}`);
  });
}

function auditTable(entries: readonly AuditEntry[]): string {
  const rows = entries.map(({ at, by, action, subject, before, after }) => [
    ...[timeText(at), by, action, subject],
    changeTexts(before, after).join(', '),
  ]);
  return textTable([['WHEN', 'WHO', 'WHAT', 'OF', 'CHANGE'], ...rows]);
}
