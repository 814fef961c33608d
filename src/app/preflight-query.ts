import { readAccountHold } from '../accounts/account-hold.ts';
import { splitScopes } from '../accounts/scopes.ts';
import type { Clock } from '../core/ports.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { DAY_MS } from '../core/units.ts';
import { createVideoClaims } from '../ledger/video-claims.ts';
import { TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import { createMediaOpener } from '../media/open-media.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import type { PreflightAccounts, PreflightQuota } from '../producers/check-account.ts';
import { checkRequest, type PreflightDeps } from '../producers/check-request.ts';
import { refuseCallbacks } from '../producers/refuse-callbacks.ts';
import type { Keys } from '../redis/keys.ts';
import type { PublisherAccounts } from './account-parts.ts';
import { hasAccountKeys } from './publisher-accounts.ts';
import type { PublisherConfig } from './publisher-config.ts';
import type { RedisParts } from './redis-parts.ts';

type PreflightParts = Pick<
  RedisParts,
  'accountNames' | 'caps' | 'facts' | 'lanes' | 'ledger' | 'redis' | 'reservations'
> & {
  readonly keys: Keys;
  readonly clock: Clock;
  readonly openAccounts: () => Promise<PublisherAccounts>;
  readonly idempotencyKey: string | undefined;
};

/**
 * Checks a request for `publisher.preflight`. Loaded when that is called first: producers that only enqueue load no
 * code for media, accounts and TikTok.
 */
export async function runPreflight(
  request: unknown,
  config: PublisherConfig,
  {
    reservations,
    caps,
    facts,
    lanes,
    ledger,
    accountNames,
    redis,
    keys,
    clock,
    openAccounts,
    idempotencyKey,
  }: PreflightParts,
): Promise<PreflightReport> {
  const { mediaRoots, outboundAllowHosts = [], proxy, s3 = {} } = config;
  const { onDuplicate = 'warn', duplicateWindowMs = DAY_MS } = config;
  const media = createMediaOpener({ roots: mediaRoots, allowHosts: outboundAllowHosts, proxy, s3 });
  const quota: PreflightQuota = {
    initWaitMs: (account, endpoint) => reservations.peek({ account, endpoint, ...TIKTOK_QUOTAS[endpoint] }),
    postsLastDay: caps.postsLastDay,
    nextDailyTryAt: caps.nextDailyTryAt,
    heldBackUntil: caps.heldBackUntil,
    delayOf: lanes.delayOf,
  };
  const { find } = createVideoClaims({ redis, keys, clock, windowMs: duplicateWindowMs, maxWaitMs: 0 });
  const jobOfKey = async (key: string) => {
    const id = await ledger.idOfIdempotencyKey(sha256Hex(key));
    return id === undefined ? undefined : await ledger.read(id);
  };
  try {
    const accounts = hasAccountKeys(config)
      ? accountsOf(await openAccounts())
      : 'ENCRYPTION_KEYS is not set here, and accounts are encrypted with the keys of the workers';
    const deps: PreflightDeps = {
      ...{ openMedia: media.open, lookAtPhoto: media.lookAtPhoto, probeMedia, accounts, quota, clock },
      factsOf: facts.of,
      refuseCallback: (asked) => refuseCallbacks([{ request: asked }], outboundAllowHosts),
      ...{ duplicates: { onDuplicate, find }, jobOfKey, nameOf: accountNames.resolve },
      hasPullAddress: config.pull && config.pull.baseUrl !== undefined,
      holdOf: (account) => readAccountHold(redis, keys, account),
    };
    return await checkRequest(request, deps, idempotencyKey);
  } finally {
    await media.close();
  }
}

function accountsOf({ vault, askCreator }: PublisherAccounts): PreflightAccounts {
  return {
    async find(nameOrOpenId) {
      const summary = await vault.get(nameOrOpenId);
      return summary && { name: summary.account, status: summary.status, scopes: splitScopes(summary.scope) };
    },
    askCreator,
  };
}
