import { rekeyAccounts } from '../../accounts/vault-survey.ts';
import { loadConfig } from '../../config/load-config.ts';
import { endOldForm } from '../../sealing/published-key.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { openClientApp } from '../open-client.ts';

/** `accounts rekey`: ends with 3 if some tokens can't be opened with any of the keys. */
export async function rekey({ io, output }: CommandContext): Promise<ExitCode> {
  const app = await openClientApp(loadConfig(io.env), io);
  try {
    const { keys, sealer, requestSecrets } = app.app;
    await endOldForm(app.redis, keys, requestSecrets.publicKeys);
    const { resealed, currentCount, unreadable } = await rekeyAccounts({ redis: app.redis, keys, sealer });
    const lines = [
      `${resealed.length} accounts were re-encrypted with the first key, ${currentCount} already used it.`,
      ...unreadable.map(({ account, code, message }) => `  "${account}" could not be read: ${message} (${code})`),
      unreadable.length === 0
        ? 'You can remove the older keys when three conditions are met: every process has the new key first, one hour has passed since then, and every job from before then has ended. (Upload URLs, valid for one hour, and the URLs of jobs are not re-encrypted.)'
        : 'Keep the older keys until these accounts have been connected again or removed.',
    ];
    output.answer({ resealed, currentCount, unreadable }, lines.join('\n'));
    return unreadable.length === 0 ? EXIT_CODES.success : EXIT_CODES.unavailable;
  } finally {
    await app.close();
  }
}
