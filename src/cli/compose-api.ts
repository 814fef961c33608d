import { createManagedAccounts, type ManagedAccountsDeps } from '../accounts/managed-accounts.ts';
import { createAccountVault } from '../accounts/vault.ts';
import type { CallbackDesk } from '../callbacks/callback-desk.ts';
import { openCallbackDesk } from '../callbacks/open-callback-desk.ts';
import type { Creators } from '../creators/open-creators.ts';
import type { ApiOptions } from '../http/v1/api.ts';
import { refuseOutsideRoots } from '../media/media-roots.ts';
import type { Publisher } from '../producers/publisher.ts';
import { createQueues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { tellingOfRedis } from '../redis/telling-of-redis.ts';
import type { Service } from './compose-service.ts';
import { revokeGrant } from './revoke-grant.ts';
import { readVersion } from './version.ts';

/** What the API is made of, beside the service. */
export interface ApiParts {
  readonly publisher: Publisher;
  readonly creators: Pick<Creators, 'ask'>;
  /** Lets the waiting jobs of an account go on. */
  readonly wake: ManagedAccountsDeps['wake'];
}

/**
 * The API under `/v1`, put together.
 * @param service its `redis` should fail at once while Redis is away, since somebody waits for an answer
 */
export function apiOptions(
  { foundation, redis }: Pick<Service, 'foundation' | 'redis'>,
  { publisher, creators, wake }: ApiParts,
): ApiOptions {
  const { config, keys, sealer, confirmation } = foundation;
  const { http, mediaRoots } = config;
  const vault = createAccountVault({ redis, keys, sealer, confirmation, clientKey: config.tiktok.clientKey });
  return {
    apiKeys: http.apiKeys,
    requestsPerMinute: http.requestsPerMinute,
    publisher,
    accounts: createManagedAccounts({
      vault,
      wake,
      revoke: (account) => revokeGrant({ foundation, redis, vault }, account),
    }),
    callbacks: callbackDesk(foundation, redis),
    askCreator: (account) => tellingOfRedis(() => creators.ask(account)),
    refuseFile: (path) => refuseOutsideRoots(path, mediaRoots),
    version: readVersion(),
  };
}

function callbackDesk({ config, keys, onClose }: Service['foundation'], redis: RedisClient): CallbackDesk {
  const { queuePrefix: prefix, retentionMs } = config;
  const queues = createQueues({ connection: redis, prefix, retentionMs });
  onClose(() => queues.close());
  const desk = openCallbackDesk({ redis, keys, queues, retentionMs });
  return {
    overview: () => tellingOfRedis(desk.overview),
    ofJob: (jobId) => tellingOfRedis(() => desk.ofJob(jobId)),
    replay: (id) => tellingOfRedis(() => desk.replay(id)),
    replayFailed: (host) => tellingOfRedis(() => desk.replayFailed(host)),
    resume: (endpoint) => tellingOfRedis(() => desk.resume(endpoint)),
  };
}
