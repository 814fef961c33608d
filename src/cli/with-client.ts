import { type Client, openClient } from '../app/open-client.ts';
import { settingIn } from '../config/given-settings.ts';
import { loadConfig } from '../config/load-config.ts';
import type { CliIo } from './cli-io.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

/**
 * Runs a command on a connection to Redis and closes it. A command that returns no exit code has succeeded.
 * @throws RedisUnavailableError with what to do about it
 */
export async function withClient(
  { env }: CliIo,
  run: (client: Client) => Promise<ExitCode | undefined>,
): Promise<ExitCode> {
  const config = loadConfig(env);
  // People want answers, not a log, unless they set a level.
  const client = await openClient({ ...config, logLevel: settingIn(env, 'LOG_LEVEL') ? config.logLevel : 'error' });
  try {
    return (await run(client)) ?? EXIT_CODES.success;
  } finally {
    await client.close();
  }
}
