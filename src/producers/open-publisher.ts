import { createAccountNames } from '../accounts/account-names.ts';
import type { RedisTarget } from '../config/redis-config.ts';
import type { Clock } from '../core/ports.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { createLanes, DEFAULT_LANE_LIMIT } from '../lanes/lanes.ts';
import { createLedger } from '../ledger/ledger.ts';
import { createLedgerReader } from '../ledger/ledger-reader.ts';
import { createQueues } from '../queues/queues.ts';
import { closeRedis, connectRedis, reconnectRedis } from '../redis/connections.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { openConfirmation } from '../redis/open-confirmation.ts';
import { provideRedis } from '../redis/provide-redis.ts';
import type { PublisherConfig } from './create-publisher.ts';
import type { TailConnection } from './event-tail.ts';

/** A publisher's parts once it is connected. */
export type OpenPublisher = Awaited<ReturnType<typeof openPublisher>>;

/** Connects to Redis and opens what a publisher works with. */
export async function openPublisher(config: PublisherConfig, keys: Keys, clock: Clock) {
  const provided = await provideRedis(config);
  const target: RedisTarget = provided.target;
  let redis: RedisClient;
  try {
    redis = await connectRedis(target, 'producer');
  } catch (error) {
    await provided.close();
    throw error;
  }
  const confirmation = openConfirmation(target, {
    ...{ keys, replicas: config.redisWaitReplicas },
    onStale: () => reconnectRedis(redis),
  });
  const laneLimit = config.uploadsPerAccount ?? DEFAULT_LANE_LIMIT;
  const { retentionMs, telemetry } = config;
  const queues = createQueues({ connection: redis, prefix: keys.prefix, retentionMs, telemetry });
  return {
    ...{ clock, redis, keys, queues, confirmation },
    // Few requests hold secrets, and who never sends one need not load what seals them.
    async sealSecrets(request: PublishRequest, jobId: string) {
      const { sealSecrets } = await import('./seal-secrets.ts');
      return await sealSecrets(request, jobId, { redis, keys, encryptionKeys: config.encryptionKeys });
    },
    lanes: createLanes({ redis, keys, clock, limit: laneLimit }),
    accountNames: createAccountNames({ redis, keys, clock }),
    ledger: createLedger({ redis, keys, clock, confirmation, laneLimit }),
    reader: createLedgerReader({ redis, keys }),
    /** A connection of its own, for commands that block. */
    async connectBlocking(): Promise<TailConnection> {
      const blocking = await connectRedis(target, 'blocking');
      return { redis: blocking, close: () => closeRedis(blocking) };
    },
    async close(): Promise<void> {
      await queues.close();
      await confirmation.close();
      await closeRedis(redis);
      await provided.close();
    },
  };
}
