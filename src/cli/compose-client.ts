import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import type { Config } from '../config/load-config.ts';
import { createPublisherFromConfig } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import type { CliIo } from './cli-io.ts';
import { openFoundation } from './foundation.ts';

/** What commands that only ask or enqueue need. */
export interface ClientApp {
  readonly publisher: Publisher;
  readonly vault: AccountVault;
  /** Whether this process had to start Redis itself, so that no worker can be connected to it. */
  readonly isAlone: boolean;
  close(): Promise<void>;
}

/**
 * Connects a command to Redis.
 * @throws RedisUnavailableError with what to do about it
 */
export async function openClientApp(config: Config, io: CliIo): Promise<ClientApp> {
  // People want answers, not a log; whoever sets a level asks for one.
  const logLevel = io.env.LOG_LEVEL ? config.logLevel : 'error';
  const foundation = await openFoundation({ ...config, logLevel });
  const publisher = createPublisherFromConfig(foundation.config);
  foundation.onClose(() => publisher.close());
  const { redis, keys, sealer } = { ...foundation, redis: await foundation.connect('producer') };
  return {
    publisher,
    vault: createAccountVault({ redis, keys, sealer }),
    isAlone: foundation.redisKind !== 'external' && foundation.redisKind !== 'shared',
    close: foundation.close,
  };
}
