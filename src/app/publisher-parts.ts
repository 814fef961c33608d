import type { Clock } from '../core/ports.ts';
import type { PublisherConnection } from '../producers/create-publisher.ts';
import { closeRedis } from '../redis/connections.ts';
import type { PublisherAccounts } from './account-parts.ts';
import type { PublisherConfig } from './publisher-config.ts';
import { openRedisAccess, type RedisAccess } from './redis-access.ts';
import { openRedisParts, type RedisParts } from './redis-parts.ts';

/** What a publisher works with, on parts that are open. */
export function publisherParts(
  config: PublisherConfig,
  access: Pick<RedisAccess, 'keys' | 'openConnection'>,
  parts: RedisParts & { readonly clock: Clock },
  openAccounts: () => Promise<PublisherAccounts>,
): PublisherConnection {
  const { keys } = access;
  const { redis } = parts;
  return {
    ...parts,
    // Few requests hold secrets; only those load what seals them.
    async sealSecrets(request, jobId) {
      const { sealSecrets } = await import('../producers/seal-secrets.ts');
      const { encryptionKeys, sealingKeyPins } = config;
      return await sealSecrets(request, jobId, { redis, keys, encryptionKeys, sealingKeyPins });
    },
    async connectBlocking() {
      const blocking = await access.openConnection('blocking');
      return { redis: blocking, close: () => closeRedis(blocking) };
    },
    openAccounts,
    async preflight(request, { idempotencyKey }) {
      const { runPreflight } = await import('./preflight-query.ts');
      return await runPreflight(request, config, { ...parts, keys, openAccounts, idempotencyKey });
    },
  };
}

/** Connects a publisher that is alone in its process. @throws RedisUnavailableError */
export async function connectPublisher(
  config: PublisherConfig,
  clock: Clock,
): Promise<PublisherConnection & Pick<RedisAccess, 'close'>> {
  const access = await openRedisAccess(config);
  const redis = await access.connect('producer');
  const { telemetry } = config;
  const parts = { ...openRedisParts(access, redis, { clock, telemetry }), clock };
  let accounts: Promise<PublisherAccounts> | undefined;
  const openAccounts = (): Promise<PublisherAccounts> => {
    accounts ??= import('./publisher-accounts.ts')
      .then(({ openPublisherAccounts }) => openPublisherAccounts(config, access, parts))
      .catch((error: unknown) => {
        accounts = undefined;
        throw error;
      });
    return accounts;
  };
  return { ...publisherParts(config, access, parts, openAccounts), close: access.close };
}
