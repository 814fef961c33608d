import { createManagedAccounts, type ManagedAccounts } from '../accounts/managed-accounts.ts';
import { type AccountVault, createAccountVault } from '../accounts/vault.ts';
import type { Config } from '../config/load-config.ts';
import { type Foundation, openFoundation } from '../foundation/foundation.ts';
import { createPublisherFromConfig } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import { createQueues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { CliIo } from './cli-io.ts';
import { revokeGrant } from './revoke-grant.ts';
import { wakeAccount } from './wake-account.ts';

/** What commands that only ask or enqueue need. */
export interface ClientApp {
  readonly foundation: Foundation;
  readonly redis: RedisClient;
  readonly publisher: Publisher;
  readonly vault: AccountVault;
  readonly accounts: ManagedAccounts;
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
  const publisher = createPublisherFromConfig({ ...foundation.config, telemetry: foundation.traces?.telemetry });
  foundation.onClose(() => publisher.close());
  const { redis, keys, sealer, confirmation } = { ...foundation, redis: await foundation.connect('producer') };
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clientKey: config.tiktok.clientKey });
  const accounts = createManagedAccounts({
    vault,
    async wake({ account, openId }) {
      const queues = createQueues({ connection: redis, prefix: config.queuePrefix, retentionMs: config.retentionMs });
      await wakeAccount([account, openId], { redis, keys, queues, laneLimit: config.uploadsPerAccount });
      await queues.close();
    },
    revoke: (account) => revokeGrant({ foundation, redis, vault }, account),
  });
  return {
    ...{ foundation, redis, publisher, vault, accounts },
    isAlone: foundation.redisKind !== 'external' && foundation.redisKind !== 'shared',
    close: foundation.close,
  };
}
