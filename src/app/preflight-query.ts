import { splitScopes } from '../accounts/scopes.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import { TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import { createMediaOpener } from '../media/open-media.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import type { PreflightAccounts, PreflightQuota } from '../producers/check-account.ts';
import { checkRequest } from '../producers/check-request.ts';
import type { PublisherAccounts } from './account-parts.ts';
import { hasAccountKeys } from './publisher-accounts.ts';
import type { PublisherConfig } from './publisher-config.ts';
import type { RedisParts } from './redis-parts.ts';

type PreflightParts = Pick<RedisParts, 'reservations' | 'caps'> & {
  readonly openAccounts: () => Promise<PublisherAccounts>;
};

/**
 * Checks a request for `publisher.preflight`. Loaded when that is called first: producers that only enqueue load no
 * code for media, accounts and TikTok.
 */
export async function runPreflight(
  request: unknown,
  config: PublisherConfig,
  { reservations, caps, openAccounts }: PreflightParts,
): Promise<PreflightReport> {
  const { mediaRoots, outboundAllowHosts = [], proxy, s3 = {} } = config;
  const media = createMediaOpener({ roots: mediaRoots, allowHosts: outboundAllowHosts, proxy, s3 });
  const quota: PreflightQuota = {
    initWaitMs: (account, endpoint) => reservations.peek({ account, endpoint, ...TIKTOK_QUOTAS[endpoint] }),
    postsLastDay: caps.postsLastDay,
    heldBackUntil: caps.heldBackUntil,
  };
  try {
    const accounts = hasAccountKeys(config)
      ? accountsOf(await openAccounts())
      : 'ENCRYPTION_KEYS is not set here, and accounts are encrypted with the keys of the workers';
    return await checkRequest(request, { openMedia: media.open, probeMedia, accounts, quota });
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
