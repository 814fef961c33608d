import { type Client, openClient } from '../app/open-client.ts';
import type { Config } from '../config/load-config.ts';
import type { CliIo } from './cli-io.ts';

/**
 * Connects a command to Redis.
 * @throws RedisUnavailableError with what to do about it
 */
export async function openClientApp(config: Config, { env }: CliIo): Promise<Client> {
  // People want answers, not a log, unless they set a level.
  return await openClient({ ...config, logLevel: env.LOG_LEVEL ? config.logLevel : 'error' });
}
