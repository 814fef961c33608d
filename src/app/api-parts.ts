import type { ManagedAccounts } from '../accounts/managed-accounts.ts';
import type { CallbackDesk } from '../callbacks/callback-desk.ts';
import type { ApiOptions } from '../http/v1/typed-routes.ts';
import { refuseOutsideRoots } from '../media/media-roots.ts';
import type { Publisher } from '../producers/publisher.ts';
import { tellingOfRedis } from '../redis/telling-of-redis.ts';
import type { AccountParts } from './account-parts.ts';
import type { App } from './open-app.ts';
import { readVersion } from './version.ts';

/** What the API hands its requests to. */
export interface ApiParts extends Pick<AccountParts, 'askCreator'> {
  readonly publisher: Publisher;
  readonly accounts: ManagedAccounts;
  readonly callbacks: CallbackDesk;
}

/** The API under `/v1`. */
export function apiOptions(
  { http, mediaRoots }: Pick<App['config'], 'http' | 'mediaRoots'>,
  { publisher, accounts, callbacks, askCreator }: ApiParts,
): ApiOptions {
  return {
    apiKeys: http.apiKeys,
    requestsPerMinute: http.requestsPerMinute,
    ...{ publisher, accounts },
    callbacks: {
      overview: () => tellingOfRedis(callbacks.overview),
      ofJob: (jobId) => tellingOfRedis(() => callbacks.ofJob(jobId)),
      replay: (id) => tellingOfRedis(() => callbacks.replay(id)),
      replayFailed: (host) => tellingOfRedis(() => callbacks.replayFailed(host)),
      resume: (endpoint) => tellingOfRedis(() => callbacks.resume(endpoint)),
    },
    askCreator: (account) => tellingOfRedis(() => askCreator(account)),
    refuseFile: (path) => refuseOutsideRoots(path, mediaRoots),
    version: readVersion(),
  };
}
