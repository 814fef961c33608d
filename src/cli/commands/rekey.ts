import { rekeyAccounts } from '../../accounts/vault-survey.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { openClientApp } from '../open-client.ts';

/** `accounts rekey`: ends with 3 if some tokens can't be opened with any of the keys. */
export async function rekey({ io, output }: CommandContext): Promise<ExitCode> {
  const app = await openClientApp(loadConfig(io.env), io);
  try {
    const { keys, sealer } = app.app;
    const { resealed, currentCount, unreadable } = await rekeyAccounts({ redis: app.redis, keys, sealer });
    const lines = [
      `${resealed.length} accounts are sealed with the first key now, ${currentCount} were before.`,
      ...unreadable.map(({ account, code, message }) => `  "${account}" could not be read: ${message} (${code})`),
      unreadable.length === 0
        ? 'The older keys can be dropped once every process has the new one first, an hour has passed and every job of before that has ended: upload URLs, which live for an hour, and the URLs of jobs are not sealed anew.'
        : 'Keep the older keys until these accounts are connected again or removed.',
    ];
    output.answer({ resealed, currentCount, unreadable }, lines.join('\n'));
    return unreadable.length === 0 ? EXIT_CODES.success : EXIT_CODES.unavailable;
  } finally {
    await app.close();
  }
}
