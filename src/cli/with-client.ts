import { userInfo } from 'node:os';
import type { App, AppOptions } from '../app/open-app.ts';
import { type Client, openClient } from '../app/open-client.ts';
import { settingIn } from '../config/given-settings.ts';
import { loadConfig } from '../config/load-config.ts';
import { describeTarget } from '../redis/connection-error.ts';
import type { CommandContext, Output } from './cli-io.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

/**
 * Runs a command on a connection to Redis and closes it. A command that returns no exit code has succeeded.
 * @param options `starter` for a command that may come before every service
 * @throws RedisUnavailableError with what to do about it
 */
export async function withClient(
  { io: { env }, output }: CommandContext,
  run: (client: Client) => Promise<ExitCode | undefined>,
  options: Pick<AppOptions, 'starter'> = {},
): Promise<ExitCode> {
  const config = loadConfig(env);
  // People want answers, not a log, unless they set a level.
  const logLevel = settingIn(env, 'LOG_LEVEL') ? config.logLevel : 'error';
  const client = await openClient({ ...config, logLevel }, { ...options, by: commandLineUser() });
  try {
    tellWhichRedis(client.app, output);
    return (await run(client)) ?? EXIT_CODES.success;
  } finally {
    await client.close();
  }
}

/** Who types the commands, as far as the system knows. */
export function commandLineUser(): string {
  try {
    return `command line, ${userInfo().username}`;
  } catch {
    return 'command line';
  }
}

/** People see whose jobs and accounts a command is about; programs have named it themselves. */
export function tellWhichRedis({ target, redisKind, notice }: App, { json, note }: Output): void {
  if (json) return;
  const wasRunning = redisKind === 'external' || redisKind === 'shared';
  note(`Redis: ${redisText(target)}${wasRunning ? '' : ', started for this command'}`);
  if (notice !== undefined) note(notice);
}

/** Where a Redis is and which setting says so. */
export function redisText(target: App['target']): string {
  const { address, setting } = describeTarget(target);
  return `${address} (${setting})`;
}
